"""Memory footprint of a model and a job, found out without weights.

The model is built from its configuration on torch's `meta` device, where tensors have shapes and no values,
and the method's own code is run on it: words, pictures, the steps of a block that takes most, the decoder. So every
family is measured alike, and a change to the method changes the estimate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from math import isqrt
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import Tensor, nn
from torch.fx.experimental import _config as symbolic

from standee.errors import UnknownModel

from ...catalog.catalog import describe
from ...catalog.sampling_defaults import SamplingDefaults
from ...hardware.load_presets import Quantization
from ...hardware.memory_estimate import Footprint, Weights, WorkingMemory, with_nets
from ..capture import TokenCapture
from ..families import open_family
from ..families.base import Family
from ..families.conditioning import Conditioning
from ..families.control import ControlPart
from ..families.wide_layers import needs_wide_layers, widen
from ..injection import inject
from ..loading.control_nets import outline_net
from ..loading.picture_readers import picture_readers
from ..loading.quantization import large_text_encoder, tile
from ..references import Crop, Reference, ShownReferences
from ..schedule import Schedule
from .live_bytes import DryRun, LiveBytes
from .weights import together, weigh
from .workload import Workload

META = torch.device("meta")

FEW = 8
"""Sites up to which all blocks are run; of a deeper model only the first one and two of each kind."""

Ends = Callable[[], tuple[Tensor, Tensor]]
"""What makes both ends of a crop's trajectory."""


def outline(folder: Path, dtype: torch.dtype, device: torch.device) -> Family:
    """Return the model in `folder`, as it will compute on `device`, but on `meta`: without its weights.

    Raises `UnknownModel` where the folder holds no model that is known.
    """
    here = describe(folder)
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    parts: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, value in index.items():
        if not isinstance(value, list) or isinstance(value[0], int):  # numbers are a setting too
            settings |= {} if name.startswith("_") else {name: value}
        elif value[0]:
            parts[name] = value
    try:
        built = picture_readers(folder, index)
        built |= {
            name: _part(folder / name, library, kind, dtype, device)
            for name, (library, kind) in parts.items()
            if name not in built
        }
        pipeline = getattr(diffusers, here.pipeline)(**built, **settings)
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UnknownModel(
            f"The model in {folder} cannot be read: {error}",
            path="$.sampling.model",
            fix="Download or save it again.",
        ) from error
    tile(pipeline)
    return open_family(pipeline, META, here, SamplingDefaults().having(here.defaults))


def _part(folder: Path, library: str, kind: str, dtype: torch.dtype, device: torch.device) -> Any:
    """Return one part of a pipeline; a module is built on `meta`."""
    cls = getattr({"diffusers": diffusers, "transformers": transformers}[library], kind)
    if not issubclass(cls, nn.Module):
        return cls.from_pretrained(folder, local_files_only=True)
    with META:
        if library == "diffusers":
            part = cls.from_config(cls.load_config(folder, local_files_only=True))
        else:
            part = cls(transformers.AutoConfig.from_pretrained(folder, local_files_only=True))
    if needs_wide_layers(device, dtype):
        widen(part)
    return part.to(dtype).eval().requires_grad_(False)


class Blueprint:
    """A model without its weights, on `meta`, of which can be asked what jobs take."""

    def __init__(self, family: Family) -> None:
        self.family = family
        pipeline = family.pipeline
        large = large_text_encoder(pipeline.components)
        texts = {
            name: pipeline.components[name]
            for name in ("text_encoder", "text_encoder_2")
            if name in pipeline.components
        }
        ways: tuple[Quantization, ...] = ("none", "fp8", "int8", "nf4")
        self.transformer = {way: weigh(pipeline.transformer, way, in_blocks=True) for way in ways}
        self.text = {
            way: together(
                [weigh(part, way if name == large else "none") for name, part in texts.items()]
            )
            for way in ways
        }
        self.autoencoder = weigh(pipeline.vae, "none")
        self.working = lru_cache(64)(self._working)
        self._words = lru_cache(2)(self._encode_words)
        self._nets = lru_cache(4)(self._outline_net)

    def footprint(self, workload: Workload) -> Footprint:
        """Return what the model and a job of this layout take."""
        nets = [self._nets(folder)[1] for folder in {folder for _, folder in workload.nets}]
        plain = Footprint(self.transformer, self.text, self.autoencoder, self.working(workload))
        return with_nets(plain, nets)

    def _outline_net(self, folder: Path) -> tuple[Any, dict[Quantization, Weights]]:
        """Return a control net on `meta`, and its weights: fp8 wherever the transformer is packed."""
        net = outline_net(folder, self.family)
        plain, packed = (weigh(net, way, in_blocks=True) for way in ("none", "fp8"))
        return net, {"none": plain, "fp8": packed, "int8": packed, "nf4": packed}

    def _working(self, workload: Workload) -> WorkingMemory:
        family = self.family
        seen, patches, looking = self._seen(workload)
        prompt, encoding = self._words(workload.guidance, seen)
        longest = max(family.text_tokens(said) for said in workload.prompts) + seen
        words = max(family.words(said) for said in workload.prompts)
        text = prompt.text.new_empty(1, longest, prompt.text.shape[2])
        prompt = replace(prompt, text=text, words=words)
        held = len(workload.prompts) * prompt.size
        with self.dry() as live:
            noise = torch.empty(1, workload.rows * workload.cols, family.channels, device=META)
            if workload.anchored or workload.controls:
                sides = (workload.rows * family.patch, workload.cols * family.patch)
                family.encode_latents(torch.empty(1, 3, *sides, device=META))
            canvas = live.mark()
            crops = {crop[:2] for crop in workload.crops} if workload.detail else set()
            ends = [
                torch.empty(2, r * c, family.channels, device=META) for r, c, _ in workload.crops
            ]
            for rows, cols in {(workload.rows, workload.cols), *crops}:
                cells = torch.empty(1, rows * cols, family.channels, device=META)
                family.decode_latents(cells, rows, cols)
            decode = live.mark()
            del ends
            encode, denoise = self._extrapolate(workload, noise, prompt, live)
        again = workload.plain or len(workload.crops) > 1 or workload.count > 1
        return WorkingMemory(
            text=held + patches + max(looking, encoding),
            encode=held + max(canvas, encode),
            denoise=held + denoise,
            decode=held + decode,
            text_tokens=family.text_limit + seen,
            tokens=self._tokens(workload, longest),
            transformer_first=again,
        )

    @staticmethod
    def _tokens(workload: Workload, text: int) -> int:
        """Return the tokens of the largest forward: the picture's, or that of a crop."""
        crops = [rows * cols for rows, cols, _ in workload.crops]
        picture = workload.rows * workload.cols * (1 + workload.canvas_beside)
        picture += sum(crops) if workload.beside else 0
        return max(picture, *crops, 0) + text

    def _seen(self, workload: Workload) -> tuple[int, int, int]:
        """Return as how many text tokens the language model sees pictures, and the bytes that these take.

        They are those of all patches, and those that looking at them takes beside.
        """
        shown = [crop[:2] for crop in workload.crops] if workload.beside else []
        shown += [(workload.rows, workload.cols)] if workload.canvas_beside else []
        side = self.family.patch
        each = [self.family.seen_picture(cols * side, rows * side) for rows, cols in shown]
        tokens, patches, looking = (sum(column) for column in zip((0, 0, 0), *each, strict=True))
        return tokens, patches, looking

    def _encode_words(self, guidance: float, seen: int) -> tuple[Conditioning, int]:
        """Return an encoded prompt, and the bytes that encoding takes; the tokens of pictures count as words do."""
        with self.dry() as live:
            prompt = self.family.encode_prompt("a" + " a" * seen, guidance)
            return prompt, live.mark() - prompt.size

    def _extrapolate(
        self, workload: Workload, noise: Tensor, prompt: Conditioning, live: LiveBytes
    ) -> tuple[int, int]:
        """Return what `_steps` does, of a deep model by running it with few blocks."""
        family, total = self.family, len(self.family.sites)
        if total <= FEW:
            return self._steps(family, noise, prompt, workload, live)
        found = []
        for depth in (1, 2):
            with _cut_short(family.transformer, depth):
                short = type(family)(family.pipeline, META, family.defaults)
                found.append((len(short.sites), self._steps(short, noise, prompt, workload, live)))
        (few, low), (more, high) = found
        encode, denoise = (
            b + (total - more) * (b - a) // (more - few) for a, b in zip(low, high, strict=True)
        )
        return encode, denoise

    def _steps(
        self,
        family: Family,
        noise: Tensor,
        prompt: Conditioning,
        workload: Workload,
        live: LiveBytes,
    ) -> tuple[int, int]:
        """Run the steps of a block, the last of which both replaces tokens and shares them.

        Returns the bytes that encoding the references takes there, beside tokens that are held, and all else.
        """
        live.mark()
        encode = denoise = 0

        def apart(ends: Ends) -> Ends:
            def run() -> tuple[Tensor, Tensor]:
                nonlocal encode, denoise
                denoise = max(denoise, live.mark())
                made = ends()
                encode = max(encode, live.mark())
                return made

            return run

        family.nets = {kind: self._nets(folder)[0] for kind, folder in workload.nets}
        sides = workload.rows * family.patch, workload.cols * family.patch
        controls = [
            ControlPart(
                kind, family.encode_control(kind, torch.empty(1, 3, *sides, device=META)), 1.0
            )
            for kind in workload.controls
        ]
        live.mark()
        ids, cells, steps = (
            family.grid_ids(workload.rows, workload.cols),
            noise.shape[1],
            workload.steps,
        )
        levels = tuple(1 - step / steps for step in range(steps + 1))  # `meta` has no values
        schedule = Schedule(torch.tensor(levels, device=META), levels)
        sharing = 0.0 if workload.beside or workload.canvas_beside else 1.0
        references = [
            self.reference(crop, prompt, 0.5 / steps, sharing, apart) for crop in workload.crops
        ]
        shown = list(references) if workload.beside else []
        if workload.canvas_beside:
            canvas = workload.rows, workload.cols, cells
            shown.append(self.reference(canvas, prompt, 0.5 / steps, 0.0, apart))
        shown = [replace(reference, sharing=1.0) for reference in shown]
        beside = ShownReferences(family, shown, schedule, range(steps)).tokens(steps - 1)
        captures = TokenCapture(family, references, schedule, cells)
        guided = family.guided_by_negative(workload.guidance)
        picture = replace(prompt, negative=prompt if guided else None)
        for _ in range(workload.regions):
            where = torch.empty(cells, dtype=torch.long, device=META)
            words, corners = prompt.trimmed(family.reference_text), torch.empty(2, 2, device=META)
            picture = picture.with_region(words, where, 1.0, corners)
        for step in range(steps):
            injection = captures.injection(step)
            laid = _under_loras(family.transformer) if workload.laid else nullcontext()
            with inject(family.sites, injection), laid, family.controlled(controls):
                family.velocity(noise, schedule.sigmas[step], picture, ids, beside)
            del injection
        return encode, max(denoise, live.mark())

    @contextmanager
    def dry(self) -> Iterator[LiveBytes]:
        """Count what is made inside; masks select everything, since on `meta` they have no values."""
        parts = [p for p in self.family.pipeline.components.values() if isinstance(p, nn.Module)]
        weights = [t for part in parts for t in (*part.parameters(), *part.buffers())]
        with torch.no_grad(), symbolic.patch(meta_nonzero_assume_all_nonzero=True):  # noqa: SIM117
            with LiveBytes(weights) as live, DryRun():
                yield live

    def reference(
        self,
        crop: tuple[int, int, int],
        prompt: Conditioning,
        tau: float,
        sharing: float,
        apart: Callable[[Ends], Ends] = lambda ends: ends,
    ) -> Reference:
        """Return a reference to an empty picture of a crop's size, of which as many cells are seen as the crop owns.

        `apart` wraps what encodes it.
        """
        family, (rows, cols, owned) = self.family, crop
        cells = torch.empty(owned, dtype=torch.long, device=META)

        def ends() -> tuple[Tensor, Tensor]:
            pixels = torch.empty(1, 3, rows * family.patch, cols * family.patch, device=META)
            x0 = family.encode_latents(pixels)[0]
            return x0, torch.empty_like(x0)

        words = prompt.trimmed(family.reference_text)
        made = Crop((rows, cols), words, cells, "", apart(ends))
        looking = torch.empty(owned + 4 * isqrt(owned) + 4, dtype=torch.long, device=META)
        return Reference(made, cells, cells, tau, sharing, looking=looking)


@contextmanager
def _cut_short(transformer: nn.Module, depth: int) -> Iterator[None]:
    """Leave a transformer `depth` blocks of each kind: all of a kind take the same."""
    lists = {n: part for n, part in transformer.named_children() if isinstance(part, nn.ModuleList)}
    try:
        for name, blocks in lists.items():
            setattr(transformer, name, blocks[:depth])
        yield
    finally:
        for name, blocks in lists.items():
            setattr(transformer, name, blocks)


class UnmergedLora(nn.Linear):
    """A layer under a LoRA, which adds a scaled output to the layer's own; it can only be run as it is."""

    def __call__(self, given: Tensor) -> Tensor:
        """Compute, on `meta`: by the layer's own forward, which a wide one has."""
        output: Tensor = super().__call__(given)
        return output + torch.empty_like(output) * 1.0


@contextmanager
def _under_loras(transformer: nn.Module) -> Iterator[None]:
    """Let a transformer compute as if LoRAs changed all of its layers."""
    layers = [layer for layer in transformer.modules() if type(layer) is nn.Linear]
    try:
        for layer in layers:
            layer.__class__ = UnmergedLora
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Linear
