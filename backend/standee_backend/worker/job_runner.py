"""Jobs as a worker runs them: the model loaded and kept resident, pictures composed or cut out.

This runs in the worker's process, the only one that imports torch. The worker hands in a way to read pictures, to
report, and to learn of a cancellation; it gets each picture when the device is done with it, to be finished beside
the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from standee.composition import Composition
from standee.errors import JobCancelled, OutOfMemory
from standee.wire.events import Preview, Progress, Result
from standee.wire.messages import Cutout
from standee.wire.notes import MAX_NOTES, MEMORY_PLAN, MEMORY_SHORT, MODEL_CACHED, Note, note

from ..catalog import catalog, control_nets, download, lora_files
from ..catalog.catalog import ModelInfo
from ..catalog.download import DownloadObserver
from ..catalog.model_card import configuration
from ..engine.compose import compose
from ..engine.cutout.cutout import cut_out
from ..engine.families.base import Family
from ..engine.loading.control_nets import lay_control_nets
from ..engine.loading.load import load
from ..engine.pixels import images
from ..engine.token_cache.cache import TokenCache
from ..engine.token_cache.disk import TokenFiles
from ..hardware.load_presets import Preset
from ..hardware.memory_estimate import Plan
from ..hardware.options import Options
from ..interruption import beside_transformer, interrupted_by
from .memory_planner import MemoryPlanner, exhausted, give_back
from .step_observer import Cancelled, Pace, Report, StepObserver

log = logging.getLogger(__name__)

RECEIPT_PACKAGES = ("standee", "torch", "diffusers", "transformers")


Read = Callable[[str], bytes]
Finish = Callable[[], Result]
"""Encodes a picture; needs neither the device nor the model, so any thread may call it while these go on."""


@dataclass
class LoadedModel:
    """The model that is loaded, under which name and how, and the subjects' tokens it has captured."""

    path: str
    family: Family
    fingerprint: str
    tokens: TokenCache
    preset: Preset


class JobNotes:
    """What a job has said of itself: it goes along with all progress, of which a client may see the last only."""

    def __init__(self, report: Report) -> None:
        self.said: tuple[Note, ...] = ()
        self._report = report

    def add(self, about: Note) -> None:
        """Take a note, once; it is heard with the next progress, and is in every picture's receipt."""
        if about not in self.said and len(self.said) < MAX_NOTES:
            self.said += (about,)
            log.info("%s", about.words)

    def tell(self, event: Progress | Preview) -> None:
        """Report, with the notes so far."""
        if isinstance(event, Progress):
            event = replace(event, notes=self.said)
        self._report(event)


class JobRunner:
    """Runs jobs one after another with one model kept loaded.

    `tokens` is the folder of captured tokens, where the options give them room on the disk.
    """

    def __init__(self, options: Options, tokens: Path | None = None) -> None:
        self.options = options
        limit = int(options.token_disk * 2**30)
        self.files = TokenFiles(tokens, limit) if tokens and limit else None
        self.planner = MemoryPlanner(options)
        self.loaded: LoadedModel | None = None

    def run(
        self,
        spec: Composition | Cutout,
        model: ModelInfo | None,
        read: Read,
        report: Report,
        cancelled: Cancelled,
    ) -> Generator[Finish, None, None]:
        """Run one job; yield each of its pictures when the device is done with it.

        `model` is the one that a composition names; it is looked up if an earlier daemon accepted the job.
        Raises `StandeeError`s; anything else that it raises is a failure of the job.
        """
        notes = JobNotes(report)
        if isinstance(spec, Composition):
            info = model or catalog.find(spec.sampling.model)
            yield from self._compose(info, spec, read, notes, cancelled)
            return
        try:
            mask = _cut_out(spec, read, self.options.device, _observer(notes.tell, cancelled))
        except torch.OutOfMemoryError:
            give_back()
            raise OutOfMemory(
                "The device has too little memory for this cut-out.",
                path="$.model",
                fix="Use the built-in cut-out, which needs none, or a smaller model.",
            ) from None
        yield lambda: _encode(mask, 0, {}, notes.said)

    def _compose(
        self,
        info: ModelInfo,
        composition: Composition,
        read: Read,
        notes: JobNotes,
        cancelled: Cancelled,
    ) -> Generator[Finish, None, None]:
        """Compose all pictures of a job, going on with a smaller preset whenever the memory does not suffice."""
        observer = _observer(notes.tell, cancelled)
        commit = download.commit_of(download.here(info) or Path())
        if commit:
            notes.add(note(MODEL_CACHED, "$.sampling.model", model=info.folder, commit=commit[:12]))
        folder = download.folder(info, "$.sampling.model", observer)
        loras = lora_files.bring_all(composition.sampling.loras, observer)
        wanted = control_nets.weights_of(info.nets, composition)
        nets: dict[str, Path] = {
            kind: download.network(path, "$.control", observer)
            for kind, path in wanted.items()
            if path != control_nets.OWN
        }
        plan = self._plan(info, folder, composition, [file for file, _ in loras], nets, notes)
        observer.check()
        pace, composed = Pace(), 0

        def attempt(plan: Plan) -> Generator[Finish, None, bool]:
            """Paint the pictures that are still missing; return whether the memory sufficed."""
            nonlocal composed
            try:
                loaded = self._load(info, plan.preset, notes.tell)
                observer.check()
                lay_control_nets(loaded.family, nets, plan.preset, folder)
                observer.check()
                self._lay_loras(loaded, loras, plan.room - plan.need, notes.tell)
                for about in loaded.family.adapters.notes:
                    notes.add(about)
                loaded.tokens.model = f"{loaded.fingerprint} {self._computed_by(loaded)}"
                for index in range(composed, composition.sampling.count):
                    watch = StepObserver(
                        loaded.family, composition, index, pace, notes.tell, cancelled
                    )
                    yield _paint(loaded, composition, read, index, watch, notes)
                    composed += 1
                log.info("%s", loaded.tokens)
            except Exception as error:
                if not exhausted(error):
                    raise
                return False
            finally:
                if self.loaded:
                    self.loaded.family.release()
            return True

        while not (yield from attempt(plan)):
            self.loaded = None
            give_back()  # all of it, before anything else comes
            failed, plan = plan, self.planner.after(plan)
            notes.add(note(MEMORY_SHORT, failed=failed.preset.name, **plan.preset.note_values()))

    def _plan(
        self,
        info: ModelInfo,
        folder: Path,
        composition: Composition,
        loras: Sequence[Path],
        nets: Mapping[str, Path],
        notes: JobNotes,
    ) -> Plan:
        """Decide how the job's model is loaded, and say so."""
        notes.tell(Progress(stage="fitting", step=0, of=1))
        model = self.loaded if self.loaded and self.loaded.path == info.path else None
        loaded = model.preset if model else None
        plan = self.planner.plan(info, folder, composition, loras, nets, loaded)
        need, room = plan.need, plan.room
        notes.add(note(MEMORY_PLAN, need=need, room=room, **plan.preset.note_values()))
        notes.tell(Progress(stage="fitting", step=1, of=1))
        return plan

    def _load(self, info: ModelInfo, preset: Preset, report: Report) -> LoadedModel:
        here = self.loaded
        if here is None or (here.path, here.preset) != (info.path, preset):
            report(Progress(stage="loading", step=0, of=1))
            self.loaded = here = None
            give_back()
            family = load(info, self.options, preset)
            room, precision = _room(self.options), self.options.token_precision
            tokens = TokenCache(room, precision, self.files)
            fingerprint = family.fingerprint()
            self.loaded = here = LoadedModel(info.path, family, fingerprint, tokens, preset)
        return here

    def _computed_by(self, loaded: LoadedModel) -> str:
        """Say what decides over the last bits of tokens beside the weights: device, kernels, versions."""
        device = loaded.family.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return f"{name} {self.options.attention} {self.options.compile} {_versions()}"

    def _lay_loras(
        self, loaded: LoadedModel, loras: Sequence[tuple[Path, float]], spare: int, report: Report
    ) -> None:
        """Lay a job's LoRAs over the model, and no others; those of earlier jobs may stay in `spare` bytes."""
        adapters = loaded.family.adapters
        before = adapters.active
        try:
            adapters.lay(loras, lambda: report(Progress(stage="loading", step=0, of=1)), spare)
        finally:
            if adapters.active != before:
                loaded.fingerprint = loaded.family.fingerprint()


def _paint(
    loaded: LoadedModel,
    composition: Composition,
    read: Read,
    index: int,
    watch: StepObserver,
    notes: JobNotes,
) -> Finish:
    seed = composition.sampling.seed + index
    with interrupted_by(watch.check, beside_transformer(loaded.family.pipeline)):
        composed = compose(
            loaded.family,
            composition,
            watch.reading(read),
            seed=seed,
            on_step=watch.step,
            on_stage=watch.stage,
            tell=notes.add,
            cache=loaded.tokens,
        )
    receipt = _receipt(composition, seed, loaded)

    def finish() -> Result:
        pixels, said = composed.finish(), notes.said
        return _encode(pixels, seed, receipt | {"notes": msgspec.to_builtins(said)}, said)

    return finish


def _encode(
    pixels: NDArray[np.uint8], seed: int, receipt: dict[str, Any], notes: tuple[Note, ...]
) -> Result:
    height, width = pixels.shape[:2]
    data = images.encode_png(pixels)
    return Result(seed=seed, width=width, height=height, receipt=receipt, notes=notes, data=data)


def _observer(report: Report, cancelled: Cancelled) -> DownloadObserver:
    """Return what reports a download as a job's progress, and stops it when the job is cancelled."""

    def say(stage: str, done: int, of: int, left: float | None) -> None:
        report(Progress(stage=stage, step=done, of=of, eta=left))

    def check() -> None:
        if cancelled():
            raise JobCancelled("The job was cancelled.")

    return DownloadObserver(say, check)


def _room(options: Options) -> int:
    """Return how many bytes of the host's memory captured tokens may take."""
    if options.token_cache is not None:
        return int(options.token_cache * 2**30)
    return psutil.virtual_memory().available // 4


def _cut_out(
    spec: Cutout, read: Read, device: str, observer: DownloadObserver
) -> NDArray[np.uint8]:
    picture = images.decode(read(spec.picture), "$.picture")
    mask = images.decode(read(spec.mask), "$.mask") if spec.mask else None
    return cut_out(
        picture,
        box=spec.box,
        points=spec.points,
        mask=mask,
        model=spec.model,
        words=spec.words,
        finder=spec.finder,
        usual=configuration().cutout,
        device=device,
        observer=observer,
    )


def _receipt(composition: Composition, seed: int, loaded: LoadedModel) -> dict[str, Any]:
    """Return what makes this very picture again: its composition with its own seed, the model, the versions."""
    one = replace(composition.sampling, seed=seed, count=1)
    laid = [lora.digest for lora in loaded.family.adapters.active]
    return {
        "composition": msgspec.to_builtins(replace(composition, sampling=one)),
        "model": {
            "path": loaded.path,
            "fingerprint": loaded.fingerprint,
            "loras": laid,
            "control": loaded.family.net_folders,
            "preset": loaded.preset.name,
        },
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    """Return what is installed; a package without metadata, run from its sources, is of version ""."""
    found = dict.fromkeys(RECEIPT_PACKAGES, "")
    for package in found:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
