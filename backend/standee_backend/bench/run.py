"""A run of the benchmark: every case in every row, composed by the daemon, scored, and reported.

Whatever is done lies in the run's folder, picture by picture: a run that was broken off goes on where it was.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from PIL import Image, ImageOps

from standee.client.client import Client
from standee.composition import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee.document.receipt import embed
from standee.errors import InvalidField
from standee.files import write_atomically

from ..engine.layout import Layout, lay_out
from ..layout_picture import paste
from .cases import Case
from .measures import Array
from .scores import Judges, occlusion_order, score

LATENT_PX = 8
PERTURBED = 0.3
"""The `variation` of rows with perturbation (section 3.3)."""


@dataclass(frozen=True)
class Row:
    """A way to compose: switches of the method, and how much subjects vary."""

    method: Method
    variation: float = 0.0


TAUS = 0.6, 0.7, 0.8, 0.9
NOTHING, COLLAGE, DELIVERED = "no injection", "collage", "as delivered"
EDITED = "collage, edited"
ROWS = {
    DELIVERED: Row(Method()),
    **{f"tau {tau}": Row(Method(tau=tau)) for tau in TAUS},
    **{f"tau {tau}, perturbed": Row(Method(tau=tau), PERTURBED) for tau in TAUS},
    EDITED: Row(Method(mode="edit")),
    NOTHING: Row(Method(inject=False, anchor=0.0, sharing=False, detail=0.0)),
}
"""The rows that are composed; `COLLAGE` pastes the subjects onto what the prompt alone gives."""


@dataclass
class Run:
    """The benchmark of one model on some cases, in `folder`; the set's pictures lie in `pictures`."""

    folder: Path
    client: Client
    pictures: Path
    cases: list[Case]
    model: str
    size: int
    patch: int
    judges: Judges = field(default_factory=Judges)
    steps: int | None = None
    _blobs: dict[str, bytes] = field(default_factory=dict)

    def begin(self) -> None:
        """Take up the folder. Raises `InvalidField` where it holds a run of something else."""
        said = json.dumps({"model": self.model, "size": self.size, "steps": self.steps}) + "\n"
        file = self.folder / "run.json"
        if file.exists() and file.read_text("utf-8") != said:
            raise InvalidField(
                f"{self.folder} holds a run of another model, size or number of steps.",
                path="$.output",
                fix="Name another folder with -o.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, said.encode())

    def __len__(self) -> int:
        return len(self.cases) * (len(ROWS) + 1)

    def __iter__(self) -> Iterator[str]:
        """Do what is left, and name each picture when it is there."""
        for case in self.cases:
            layout, plain = self._layout(case), self._composed(case, NOTHING)
            for row in (NOTHING, COLLAGE, *(name for name in ROWS if name != NOTHING)):
                file = self.file(case, row).with_suffix(".json")
                if not file.exists():
                    found = self._score(case, row, layout, plain)
                    write_atomically(file, json.dumps(found).encode())
                yield f"{case.name}, {row}"

    def scores(self) -> dict[str, dict[str, list[dict[str, float]]]]:
        """Return what was found: by kind of case, by row, of each case."""
        found: dict[str, dict[str, list[dict[str, float]]]] = {}
        for case in self.cases:
            for row in (*ROWS, COLLAGE):
                file = self.file(case, row).with_suffix(".json")
                one = json.loads(file.read_text("utf-8"))
                found.setdefault(case.kind, {}).setdefault(row, []).append(one)
        return found

    def file(self, case: Case, row: str) -> Path:
        """Return where the picture of a case lies."""
        return self.folder / "pictures" / case.name / (re.sub(r"\W+", "-", row) + ".png")

    def _score(self, case: Case, row: str, layout: Layout, plain: Array) -> dict[str, float]:
        if row == COLLAGE:
            onto = plain if case.kind != "scene" else self._scene(case)
            pasted = paste(layout, _image(onto))
            file = self.file(case, row)
            file.parent.mkdir(parents=True, exist_ok=True)
            pasted.save(file)
            return score(case, layout, _floats(pasted), plain, self.judges)
        picture = self._composed(case, row)
        found = score(case, layout, picture, plain, self.judges)
        if case.kind == "overlap" and len(case.subjects) == 2 and row != NOTHING:
            swapped = self._composed(case, row, swapped=True)
            order = occlusion_order(layout, picture, swapped)
            if order is not None:
                found["order"] = order
        return found

    def _layout(self, case: Case) -> Layout:
        return lay_out(
            self._composition(case, ROWS[DELIVERED]), self._blobs.__getitem__, self.patch, LATENT_PX
        )

    def _composed(self, case: Case, row: str, *, swapped: bool = False) -> Array:
        """Return a picture of a case, composed unless it is there."""
        file = self.file(case, f"{row} swapped" if swapped else row)
        composition = self._composition(case, ROWS[row])
        if swapped:
            composition = replace(composition, layers=composition.layers[::-1])
        return self._made(composition, file)

    def _scene(self, case: Case) -> Array:
        """Return the place of a case without its subjects: the scene that they are set into."""
        composition = Composition(
            canvas=Canvas(self.size, self.size), prompt=case.place, sampling=self._sampling(case)
        )
        return self._made(composition, self.file(case, "scene"))

    def _made(self, composition: Composition, file: Path) -> Array:
        if not file.exists():
            blobs = {digest: self._blobs[digest] for digest in composition.digests()}
            [result] = self.client.compose(composition, blobs)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, embed(result.data, result.receipt))
        return _floats(Image.open(file).convert("RGB"))

    def _composition(self, case: Case, row: Row) -> Composition:
        side = self.size
        layers = []
        for index, (subject, box) in enumerate(zip(case.subjects, case.boxes, strict=True)):
            picture = (self.pictures / subject.picture).read_bytes()
            rect = Rect(*(round(side * share, 3) for share in (box.x, box.y, box.w, box.h)))
            layers.append(
                Layer(
                    rect=rect, picture=self._add(picture), mask=self._cut_out(picture),
                    id=str(index), prompt=subject.words, variation=row.variation,
                )
            )  # fmt: skip
        scene = None
        if case.kind == "scene":
            self._scene(case)
            scene = Scene(picture=self._add(self.file(case, "scene").read_bytes()))
        return Composition(
            canvas=Canvas(side, side), prompt=case.prompt, layers=tuple(layers), scene=scene,
            sampling=self._sampling(case), method=row.method,
        )  # fmt: skip

    def _sampling(self, case: Case) -> Sampling:
        seed = int.from_bytes(hashlib.sha256(case.name.encode()).digest()[:4], "big")
        return Sampling(model=self.model, seed=seed, steps=self.steps)

    def _cut_out(self, picture: bytes) -> str | None:
        """Return the digest of the mask of a picture that is no cut-out yet; the daemon makes it, once."""
        image = Image.open(io.BytesIO(picture))
        if "A" in image.getbands() and np.asarray(image.getchannel("A")).min() < 128:
            return None
        digest = hashlib.sha256(picture).hexdigest()
        file = self.folder / "cutouts" / f"{digest}.png"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, self.client.cutout(picture))
        return self._add(file.read_bytes())

    def _add(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._blobs[digest] = data
        return digest


def _floats(image: Image.Image) -> Array:
    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.float32) / np.float32(255)


def _image(pixels: Array) -> Image.Image:
    return Image.fromarray((pixels * 255).round().astype(np.uint8))
