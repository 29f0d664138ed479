"""LoRA files read into low-rank changes of layers, whatever program saved them.

Read are LoRA in the spellings of diffusers, PEFT, kohya, XLabs and others, with DoRA magnitudes; LyCORIS' LoKr,
LoHa and full differences. `names.py` says which layers are meant, `adapters.py` lays the changes over a
model.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from standee.errors import InvalidField

from ....catalog import lora_files
from ..original_names import cut

ADAPTER = r"(?:\.(?!weight$|bias$)[^.]+)?"
"""PEFT's state dict has an adapter's name before the last dot, most often `default`."""

PEFT = "base_model."
"""How names begin that PEFT itself saved."""

PARTS = tuple(
    (re.compile(rf"^(?P<layer>.+?){ending}$"), part)
    for ending, part in {
        rf"\.lora_A{ADAPTER}(?:\.weight)?": "down",
        rf"\.lora_B{ADAPTER}(?:\.weight)?": "up",
        rf"\.lora_B{ADAPTER}\.bias": "bias",
        r"\.(?:lora_|lora\.|lora_linear_layer\.)?down\.weight": "down",
        r"\.(?:lora_|lora\.|lora_linear_layer\.)?up\.weight": "up",
        r"\.(?:lora_|lora\.|lora_linear_layer\.)?up\.bias": "bias",
        r"\.alpha": "alpha",
        r"\.scalar": "scalar",
        r"\.dora_scale": "magnitude",
        rf"\.lora_magnitude_vector{ADAPTER}(?:\.weight)?": "magnitude",
        r"\.(?:diff|w_norm)": "diff",
        r"\.(?:diff_b|b_norm)": "diff_b",
    }.items()
)
"""How the names of weights end, and which part of a layer's change each is."""

LYCORIS = re.compile(rf"^(?P<layer>.+)\.(?P<part>lokr_w[12](?:_[ab])?|hada_w[12]_[ab]){ADAPTER}$")

PATTERNS = {"lora_alpha": "alpha_pattern", "alpha": "alpha_pattern", "r": "rank_pattern"}
"""Where PEFT says what differs for single layers."""

Parts = dict[str, Tensor]
"""The parts of a layer's change, in 32 bits, by the names above."""


@dataclass
class LoraFile:
    """A LoRA as it lies in its file: the parts by layer, as the file calls it, and what else is in it.

    PEFT writes the strength into `config`, another file; `unsure` is true where that is not there.
    """

    layers: dict[str, Parts] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    unsure: bool = False


@dataclass(frozen=True)
class LowRankChange:
    """What a LoRA adds to a layer: `up(down(x))`.

    With a DoRA's `magnitude` the rows of the changed weight (its columns, if `by_input`) are scaled to these lengths.
    """

    down: nn.Module
    up: nn.Module
    magnitude: Tensor | None = None
    by_input: bool = False


class LoraMismatch(Exception):
    """A layer's change cannot be laid: its message says why, as the rest of a sentence."""


def read(file: Path, path: str) -> LoraFile:
    """Read a file's weights. Raises `InvalidField` at `path` for a broken one and for values that are no numbers."""
    found = LoraFile()
    try:
        with safe_open(file, "pt") as weights:
            metadata = weights.metadata() or {}
            names = list(weights.keys())
            for name in names:
                weight = weights.get_tensor(name).float()
                if not weight.isfinite().all():
                    raise InvalidField(
                        f"The LoRA {file.name} is broken: {name} holds values that are no numbers (NaN or infinite).",
                        path=path,
                        fix="Get the file again; if it stays so, its training failed: use an earlier state of it.",
                    )
                layer, part = split(name)
                if part:
                    found.layers.setdefault(layer, {})[part] = weight
                else:
                    found.others.append(name)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InvalidField(
            f"{file.name} cannot be read as safetensors: {_line(error)}.",
            path=path,
            fix="Get the file again.",
        ) from error
    found.config = _config(file, metadata, names)
    alone = not found.config and not any("alpha" in parts for parts in found.layers.values())
    found.unsure = alone and any(name.startswith(PEFT) for name in names)
    return found


def split(name: str) -> tuple[str, str]:
    """Split a weight's name into its layer and the part of the change that it is; empty for what is none."""
    if match := LYCORIS.match(name):
        return match["layer"], match["part"]
    for pattern, part in PARTS:
        if match := pattern.match(name):
            return match["layer"], part
    return "", ""


def _config(file: Path, metadata: dict[str, str], names: Sequence[str]) -> dict[str, Any]:
    """Return what PEFT or diffusers say of a LoRA's strength, in the file's header or in one beside it."""
    try:
        if said := metadata.get("lora_adapter_metadata"):
            config = json.loads(said)
        elif any(name.startswith(PEFT) for name in names):
            config = json.loads((file.parent / lora_files.PEFT_CONFIG).read_text("utf-8-sig"))
        else:
            config = {}
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def strength(config: dict[str, Any], part: str, layer: str, rank: int) -> float:
    """Return the factor of a layer's change where its file has no alpha beside the weights: 1 unless PEFT says else.

    A LoKr of two whole matrices has no `rank`, 0, and counts with the one that it was made with.
    """

    def said(name: str) -> Any:
        value = config.get(f"{part}.{name}", config.get(name))
        patterns = config.get(f"{part}.{PATTERNS[name]}", config.get(PATTERNS[name]))
        for pattern, own in patterns.items() if isinstance(patterns, dict) else ():
            if f".{layer}".endswith("." + pattern.strip("^$").replace("\\.", ".")):
                value = own
        return value if isinstance(value, int | float) and math.isfinite(value) else None

    alpha = said("lora_alpha") if said("lora_alpha") is not None else said("alpha")
    rank = rank or said("r") or 0
    if alpha is None or rank <= 0:
        return 1.0
    by_root = config.get(f"{part}.use_rslora", config.get("use_rslora"))
    return float(alpha / (rank**0.5 if by_root else rank))


def changes(
    parts: Parts, width: int, heights: Sequence[int], swapped: bool, usual: Callable[[int], float]
) -> list[LowRankChange]:
    """Return the changes of the layers whose rows, `heights` of them, lie one below the other in one layer of a file.

    They take `width` inputs. `usual` gives the factor for a rank where the file holds no alpha.
    Raises `LoraMismatch`.
    """
    left = dict(parts)
    magnitude, bias = left.pop("magnitude", None), left.pop("bias", left.pop("diff_b", None))
    downs, ups = _halves(left, width, sum(heights), heights, swapped, usual)
    if left:
        raise LoraMismatch(f"has parts that do not belong together: {', '.join(sorted(parts))}")
    biases: Sequence[Tensor | None] = [None] * len(heights)
    if bias is not None:
        _check_size("bias", bias, (sum(heights),))
        biases = cut(bias, heights, swapped)
    laid = [_with_bias(up, one) for up, one in zip(ups, biases, strict=True)]
    if magnitude is None:
        return [LowRankChange(down, up) for down, up in zip(downs, laid, strict=True)]
    if magnitude.ndim > 1 and magnitude.shape[0] == 1 and magnitude.numel() == width:
        if len(heights) > 1:
            raise LoraMismatch(
                "scales the inputs of several layers at once (a DoRA over fused layers)"
            )
        return [LowRankChange(downs[0], laid[0], magnitude.flatten(), by_input=True)]
    _check_size("magnitude", magnitude.flatten(), (sum(heights),))
    rows = cut(magnitude.flatten(), heights, swapped)
    return [LowRankChange(*both) for both in zip(downs, laid, rows, strict=True)]


def _halves(
    left: Parts,
    width: int,
    height: int,
    heights: Sequence[int],
    swapped: bool,
    usual: Callable[[int], float],
) -> tuple[list[nn.Module], list[nn.Module]]:
    """Take what a change consists of out of `left`, and return its halves for each layer."""
    alpha, scalar = (_number(left.pop(name, None), name) for name in ("alpha", "scalar"))

    def factor(rank: int) -> float:
        if rank < 1:
            raise LoraMismatch("has halves of rank 0")
        scale = usual(rank) if alpha is None else alpha / rank
        return scale * (1.0 if scalar is None else scalar)

    if any(name.startswith("lokr") for name in left):
        first, second = _kronecker(left, factor, usual(0) if alpha is None else 1.0)
        size = (first.shape[0] * second.shape[0], first.shape[1] * second.shape[1])
        _check_size("change", size, (height, width))
        if swapped:
            return _dense(torch.kron(first, second), heights, swapped)
        stops = [sum(heights[: index + 1]) for index in range(len(heights))]
        ups = [
            KroneckerOutput(first, second.shape[0], stop - rows, stop)
            for rows, stop in zip(heights, stops, strict=True)
        ]
        return [KroneckerInput(second)] * len(heights), list(ups)
    if any(name.startswith("hada") for name in left):
        down, up, whole = _hadamard(left, factor)
        if whole is not None:
            _check_size("change", whole, (height, width))
            return _dense(whole, heights, swapped)
    elif "diff" in left:
        whole = _matrix(left.pop("diff")) * (1.0 if scalar is None else scalar)
        _check_size("change", whole, (height, width))
        return _dense(whole, heights, swapped)
    elif "down" in left or "up" in left:
        if len({"down", "up"} & left.keys()) < 2:
            raise LoraMismatch(
                f"has only one half of its change, {'down' if 'down' in left else 'up'}"
            )
        down, up = _matrix(left.pop("down")), _matrix(left.pop("up"))
        if down.shape[0] != up.shape[1]:
            raise LoraMismatch(f"has halves of unequal rank, {down.shape[0]} and {up.shape[1]}")
        up = up * factor(down.shape[0])
    else:
        down, up = torch.zeros(1, width), torch.zeros(height, 1)
    _check_size("inputs", (down.shape[1],), (width,))
    _check_size("outputs", (up.shape[0],), (height,))
    return [_linear(down)] * len(heights), [_linear(rows) for rows in cut(up, heights, swapped)]


def _kronecker(
    left: Parts, factor: Callable[[int], float], whole_factor: float
) -> tuple[Tensor, Tensor]:
    """Return the two factors of a LoKr: each is whole or a product itself; LyCORIS' alpha counts for products alone."""
    found, rank = [], None
    for name in ("lokr_w1", "lokr_w2"):
        whole = left.pop(name, None)
        if whole is None:
            if not {f"{name}_a", f"{name}_b"} <= left.keys():
                raise LoraMismatch(f"lacks {name}")
            rank = left[f"{name}_b"].shape[0]
            whole = left.pop(f"{name}_a") @ left.pop(f"{name}_b")
        if whole.ndim > 2 and whole.shape[2:].numel() == 1:
            whole = whole.flatten(1)
        found.append(_matrix(whole))
    return found[0] * (whole_factor if rank is None else factor(rank)), found[1]


def _hadamard(left: Parts, factor: Callable[[int], float]) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return a LoHa, the elementwise product of two low-rank matrices, as halves of the product of their ranks.

    That is the same exactly. Where that rank is no smaller than the matrix, the matrix itself comes third.
    """
    names = [f"hada_w{one}_{half}" for one in "12" for half in "ab"]
    if not set(names) <= left.keys():
        raise LoraMismatch(f"lacks {next(name for name in names if name not in left)}")
    a1, b1, a2, b2 = (_matrix(left.pop(name)) for name in names)
    if a1.shape[1] != b1.shape[0] or a2.shape[1] != b2.shape[0] or len(a1) != len(a2):
        raise LoraMismatch("has halves of unequal rank")
    scale = factor(b1.shape[0])
    if a1.shape[1] * a2.shape[1] >= min(a1.shape[0], b1.shape[1]):
        return b1, a1, (a1 @ b1) * (a2 @ b2) * scale
    up = (a1[:, :, None] * a2[:, None, :]).flatten(1) * scale  # (out, rank * rank)
    down = (b1[:, None, :] * b2[None, :, :]).flatten(0, 1)  # (rank * rank, in)
    return down, up, None


class KroneckerInput(nn.Module):
    """The half of a LoKr that takes a layer's input: each of its equal pieces times one matrix."""

    def __init__(self, second: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(second.contiguous(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., pieces * inputs) to (..., pieces * outputs)."""
        pieces = x.unflatten(-1, (-1, self.weight.shape[1]))
        return nn.functional.linear(pieces, self.weight).flatten(-2)


class KroneckerOutput(nn.Module):
    """The half of a LoKr that gives a layer's output: sums of the pieces; of all rows those from `start` to `stop`."""

    def __init__(self, first: Tensor, size: int, start: int, stop: int) -> None:
        super().__init__()
        used = slice(start // size, -(-stop // size))
        self.size, self.rows = size, slice(start - used.start * size, stop - used.start * size)
        self.weight = nn.Parameter(first[used].contiguous(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., pieces * size) to (..., rows)."""
        mixed = torch.matmul(self.weight, x.unflatten(-1, (-1, self.size)))
        return mixed.flatten(-2)[..., self.rows]


class BiasedChange(nn.Module):
    """A half that gives a layer's output, and a change of its bias."""

    def __init__(self, up: nn.Module, bias: Tensor) -> None:
        super().__init__()
        self.up, self.bias = up, nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., outputs)."""
        changed: Tensor = self.up(x) + self.bias
        return changed


def _with_bias(up: nn.Module, bias: Tensor | None) -> nn.Module:
    return up if bias is None else BiasedChange(up, bias)


def _dense(
    whole: Tensor, heights: Sequence[int], swapped: bool
) -> tuple[list[nn.Module], list[nn.Module]]:
    rows = cut(whole, heights, swapped)
    return [_linear(one) for one in rows], [nn.Identity() for _ in rows]


def _linear(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    return layer


def _number(weight: Tensor | None, name: str) -> float | None:
    if weight is not None and weight.numel() != 1:
        raise LoraMismatch(f"has {weight.numel()} numbers as its {name}")
    return None if weight is None else float(weight)


def _matrix(weight: Tensor) -> Tensor:
    """Return a matrix, also of a convolution over single pixels. Raises `LoraMismatch`."""
    if weight.ndim > 2 and weight.shape[2:].numel() == 1:
        weight = weight.flatten(1)
    if weight.ndim != 2:
        raise LoraMismatch(f"is no matrix: it has {weight.ndim} dimensions")
    return weight


def _check_size(what: str, got: Tensor | tuple[int, ...], want: tuple[int, ...]) -> None:
    size = tuple(got.shape) if isinstance(got, Tensor) else got
    if size != want:
        said, needed = (" x ".join(map(str, one)) for one in (size, want))
        raise LoraMismatch(f"has {said} {what}, this model's has {needed}")


def _line(error: BaseException) -> str:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said[:300].rstrip(". ")
