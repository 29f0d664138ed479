"""What a model and a job take of the memory, found out without weights.

The model is built from its configuration on torch's `meta` device, where tensors have shapes and no values,
and the method's own code is run on it: words, pictures, a step that replaces tokens, one that shares them, the
decoder. So every family is measured alike, and a change to the method changes the estimate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from msgspec import Struct
from torch import Tensor, nn
from torch.fx.experimental import _config as symbolic

from standee.composition import Composition
from standee.errors import UnknownModel
from standee.geometry import snap, token_grid

from ...catalog.catalog import describe
from ...hardware.load_presets import Quantization
from ...hardware.memory_estimate import Footprint, Weights, Working
from ..capture import Captures
from ..families import open_family
from ..families.base import Conditioning, Defaults, Family
from ..families.pipeline import PipelineFamily
from ..injection import inject
from ..layout import reference_crop
from ..loading.quantization import blocks_of, large_text_encoder, packed_layers, tile
from ..references import Crop, Reference, beside_picture
from ..schedule import Schedule
from .live_bytes import Dry, LiveBytes

META = torch.device("meta")

FEW = 8
"""Sites up to which all blocks are run; of a deeper model only the first one and two of each kind."""

LEVELS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
"""A schedule whose first two steps replace tokens, of one noise level and of several, and whose third shares them."""

TAU = 0.6
"""The threshold in time for that."""

SCALE = 4
"""Bytes of a scale that quantized weights keep: int8 one for each output, nf4 one for each 64 weights."""


class Layout(Struct, frozen=True):
    """What of a job decides how much memory it takes. Sizes in cells.

    `crops`: (rows, columns, own cells) of each subject's reference, a scene's among them that comes in by its tokens.
    `beside`: the model takes them in beside the picture; `anchored`: the canvas is encoded as well; `ahead`: the next
    step's tokens come while one computes; `laid`: LoRAs lie over the model.
    """

    rows: int
    cols: int
    crops: tuple[tuple[int, int, int], ...] = ()
    prompts: tuple[str, ...] = ("",)
    guidance: float = 0.0
    anchored: bool = False
    count: int = 1
    beside: bool = False
    ahead: bool = False
    laid: bool = False


def layout_of(composition: Composition, family: Family, ahead: bool = False) -> Layout:
    """Return a composition's layout, at most what it takes: as if subjects filled their rectangles."""
    method = composition.method
    grid = token_grid(composition.canvas, family.patch)
    crops = []
    for layer in composition.layers:
        cells = snap(layer.rect, family.patch).clip(grid)
        if layer.visible and cells.rows > 0 and cells.cols > 0:
            crop = reference_crop(cells)
            crops.append((crop.rows, crop.cols, cells.rows * cells.cols))
    anchor = family.defaults.anchor if method.anchor is None else float(method.anchor)
    if composition.scene and not anchor:
        crops.insert(0, (grid.rows, grid.cols, grid.rows * grid.cols))
    guidance = composition.sampling.guidance
    return Layout(
        rows=grid.rows,
        cols=grid.cols,
        crops=tuple(crops),
        prompts=tuple(
            sorted({composition.prompt, "", *(one.prompt for one in composition.layers)})
        ),
        guidance=family.defaults.guidance if guidance is None else guidance,
        anchored=bool(anchor and (composition.scene or crops)),
        count=composition.sampling.count,
        beside=(method.share_by or family.defaults.share_by) == "input",
        ahead=ahead,
        laid=bool(composition.sampling.loras),
    )


def outline(folder: Path, dtype: torch.dtype) -> PipelineFamily:
    """Return the model in `folder`, opened up as any other, but on `meta`: without its weights.

    Raises `UnknownModel` where the folder holds no model that is known.
    """
    here = describe(folder)
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    parts = {name: value for name, value in index.items() if isinstance(value, list) and value[0]}
    settings = {
        name: value
        for name, value in index.items()
        if not isinstance(value, list) and not name.startswith("_")
    }
    try:
        built = {
            name: _part(folder / name, library, kind, dtype)
            for name, (library, kind) in parts.items()
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
    return open_family(pipeline, META, here, Defaults().having(here.defaults.given()))


def _part(folder: Path, library: str, kind: str, dtype: torch.dtype) -> Any:
    """Return one part of a pipeline; a module is built on `meta`."""
    cls = getattr({"diffusers": diffusers, "transformers": transformers}[library], kind)
    if not issubclass(cls, nn.Module):
        return cls.from_pretrained(folder, local_files_only=True)
    with META:
        if library == "diffusers":
            part = cls.from_config(cls.load_config(folder, local_files_only=True))
        else:
            part = cls(transformers.AutoConfig.from_pretrained(folder, local_files_only=True))
    return part.to(dtype).eval().requires_grad_(False)


class Blueprint:
    """A model without its weights, on `meta`, of which can be asked what jobs take."""

    def __init__(self, family: PipelineFamily) -> None:
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
            way: _together(
                [weigh(part, way if name == large else "none") for name, part in texts.items()]
            )
            for way in ways
        }
        self.autoencoder = weigh(pipeline.vae, "none")
        self.working = lru_cache(64)(self._working)
        self._words = lru_cache(2)(self._encode_words)

    def footprint(self, layout: Layout) -> Footprint:
        """Return what the model and a job of this layout take."""
        return Footprint(self.transformer, self.text, self.autoencoder, self.working(layout))

    def _working(self, layout: Layout) -> Working:
        family = self.family
        prompt, text = self._words(layout.guidance)
        longest = max(family.text_tokens(said) for said in layout.prompts)
        words = max(family.words(said) for said in layout.prompts)
        prompt = replace(prompt, words=words).trimmed(longest)
        held = len(layout.prompts) * prompt.size
        with self.dry() as live:
            noise = torch.empty(1, layout.rows * layout.cols, family.channels, device=META)
            references = [self.reference(crop, prompt) for crop in layout.crops]
            if layout.anchored:
                sides = (layout.rows * family.patch, layout.cols * family.patch)
                family.encode_latents(torch.empty(1, 3, *sides, device=META))
            encode = live.mark()
            family.decode_latents(noise, layout.rows, layout.cols)
            decode = live.mark()
            sites, total = [], len(family.sites)
            if total <= FEW:
                steps = self._steps(family, noise, references, prompt, layout, live)
            else:
                for depth in (1, 2):
                    with _cut_short(family.transformer, depth):
                        short = type(family)(family.pipeline, META, family.defaults)
                        needed = self._steps(short, noise, references, prompt, layout, live)
                        sites.append((len(short.sites), needed))
                (few, low), (more, high) = sites
                steps = high + (total - more) * (high - low) // (more - few)
        again = layout.anchored or layout.count > 1
        return Working(
            text=held + text,
            encode=held + encode,
            denoise=held + steps,
            decode=held + decode,
            text_tokens=family.text_limit,
            tokens=self._tokens(layout, longest),
            transformer_first=again,
        )

    @staticmethod
    def _tokens(layout: Layout, text: int) -> int:
        """Return the tokens of the largest forward: the picture's, or that of a crop."""
        crops = [rows * cols for rows, cols, _ in layout.crops]
        picture = layout.rows * layout.cols + (sum(crops) if layout.beside else 0)
        return max(picture, *crops, 0) + text

    def _encode_words(self, guidance: float) -> tuple[Conditioning, int]:
        """Return an encoded prompt, and the bytes that encoding takes."""
        with self.dry() as live:
            prompt = self.family.encode_prompt("a", guidance)
            return prompt, live.mark() - prompt.size

    def _steps(
        self,
        family: PipelineFamily,
        noise: Tensor,
        references: list[Reference],
        prompt: Conditioning,
        layout: Layout,
        live: LiveBytes,
    ) -> int:
        """Run steps that replace all tokens and one that shares them; return the bytes they take."""
        ids, cells = family.grid_ids(layout.rows, layout.cols), layout.rows * layout.cols
        schedule = Schedule(torch.tensor(LEVELS, device=META), LEVELS)
        beside = beside_picture(family, references) if layout.beside else None
        given = [replace(r, sharing=0.0 if layout.beside else 1.0) for r in references]
        captures = Captures(family, given, schedule, cells)
        live.mark()
        for step in range(3):
            injection = captures.injection(step)
            following = injection.replace.at_site if injection.replace and layout.ahead else []
            on_their_way = sum(tokens.nbytes for tokens in following)
            live.grow(on_their_way)
            laid = _laid_over(family.transformer) if layout.laid else nullcontext()
            with inject(family.sites, injection), laid:
                family.velocity(noise, schedule.sigmas[step], prompt, ids, beside)
            live.grow(-on_their_way)
        return live.mark()

    @contextmanager
    def dry(self) -> Iterator[LiveBytes]:
        """Count what is made inside; masks select everything, since on `meta` they have no values."""
        parts = [p for p in self.family.pipeline.components.values() if isinstance(p, nn.Module)]
        weights = [t for part in parts for t in (*part.parameters(), *part.buffers())]
        with torch.no_grad(), symbolic.patch(meta_nonzero_assume_all_nonzero=True):  # noqa: SIM117
            with LiveBytes(weights) as live, Dry():
                yield live

    def reference(self, crop: tuple[int, int, int], prompt: Conditioning) -> Reference:
        """Encode an empty picture of a crop's size, of which as many cells are seen as the crop owns."""
        family, (rows, cols, owned) = self.family, crop
        pixels = torch.empty(1, 3, rows * family.patch, cols * family.patch, device=META)
        x0 = family.encode_latents(pixels)[0]
        cells = torch.empty(owned, dtype=torch.long, device=META)
        ends = x0, torch.empty_like(x0)
        words = prompt.trimmed(family.reference_text)
        made = Crop((rows, cols), words, cells, "", lambda: ends)
        return Reference(made, cells, cells, TAU, 1.0)


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


class LaidOver(nn.Linear):
    """A layer under a LoRA, which adds a scaled output to the layer's own; it can only be run as it is."""

    def forward(self, given: Tensor) -> Tensor:
        """Compute, on `meta`."""
        output = super().forward(given)
        return output + torch.empty_like(output) * 1.0


@contextmanager
def _laid_over(transformer: nn.Module) -> Iterator[None]:
    """Let a transformer compute as if LoRAs changed all of its layers."""
    layers = [layer for layer in transformer.modules() if type(layer) is nn.Linear]
    try:
        for layer in layers:
            layer.__class__ = LaidOver
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Linear


def weigh(part: nn.Module, quantization: Quantization, in_blocks: bool = False) -> Weights:
    """Return what a part's weights take, packed by `quantization`.

    `in_blocks`: groups are the members of its module lists, else single layers.
    """
    layers = packed_layers(part, quantization)
    packed = {id(layer.weight): layer.weight for layer in layers}

    def size(module: nn.Module, recurse: bool = True) -> int:
        tensors = (*module.parameters(recurse), *module.buffers(recurse))
        return sum(_size(t, quantization if id(t) in packed else "none") for t in tensors)

    largest = max((w.numel() * w.element_size() for w in packed.values()), default=0)
    outputs = max((layer.out_features for layer in layers), default=0)
    whole = size(part)
    groups = [size(block) for block in blocks_of(part)] if in_blocks else []
    leaves = [size(module, recurse=False) for module in part.modules()]
    return Weights(
        whole=whole,
        block=max(groups or leaves),
        loose=whole - sum(groups) if groups else 0,
        unpacked=0 if quantization == "int8" else largest,
        widened=SCALE * outputs if quantization == "int8" else 0,
    )


def _size(tensor: Tensor, quantization: Quantization) -> int:
    """Return the bytes of a tensor, packed."""
    numbers = tensor.numel()
    if quantization == "fp8":
        return numbers
    if quantization == "int8":
        return numbers + SCALE * tensor.shape[0]
    if quantization == "nf4":
        return numbers // 2 + SCALE * -(-numbers // 64)
    return numbers * tensor.element_size()


def _together(parts: list[Weights]) -> Weights:
    return Weights(
        whole=sum(part.whole for part in parts),
        block=max(part.block for part in parts),
        unpacked=max(part.unpacked for part in parts),
        widened=max(part.widened for part in parts),
    )
