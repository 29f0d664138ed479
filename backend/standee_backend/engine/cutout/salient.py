"""Salient-object networks in ONNX files (ISNet, U2-Net, BiRefNet): what stands out in a picture.

They take one picture (1, 3, height, width) and give the subject's share of each pixel (1, 1, height, width) as
their first output, as it is or before its sigmoid. `onnxruntime` runs them; no code that comes with one is run.
How colours are put is read from a `preprocessor_config.json` beside the file; without one, its name tells.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from standee.errors import MissingDependency, UnknownModel

from ...hardware.options import Options, resolve
from .grabcut import Corners, Shares

FIELD = "$.model"
FIX = (
    "Give an ONNX file of a salient-object network: one picture in (1 x 3 x height x width), its matte out"
    " (1 x 1 x height x width), such as ISNet, U2-Net or BiRefNet."
)
SIDE = 1024
"""px a side that a network is given which takes any."""
PLAIN = re.compile(r"isnet|is-net|rmbg[-_.]?1|dis[-_]", re.IGNORECASE)
"""Names of networks that take colours less one half; the others take those of ImageNet."""
HALF = ((0.5,) * 3, (1.0,) * 3)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
AROUND = 0.1
"""How much of a box's size is shown to the network around it."""
LOOK_UP = 0.05
"""Seconds between two looks whether the job was cancelled."""
KEPT = 4
"""How many mattes are remembered: a person clicks several times in one picture."""


@dataclass(frozen=True)
class Network:
    """A network that is loaded, and how it wants its pictures."""

    session: Any
    size: tuple[int, int]
    half: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]


_mattes: OrderedDict[str, Shares] = OrderedDict()


def find_subject(
    pixels: NDArray[np.uint8],
    file: Path,
    corners: Corners | None = None,
    device: str = "auto",
    check: Callable[[], None] = lambda: None,
) -> Shares:
    """Return the subject's share of each of the `pixels` (height, width, 3); with `corners`, of what is in them.

    `check` is called while the network runs; what it raises stops it. Raises `UnknownModel` and `MissingDependency`.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = _seen(corners, (width, height))
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    state = file.stat()
    named = f"{file.resolve()} {state.st_size} {state.st_mtime_ns} {part.shape}".encode()
    key = hashlib.sha256(named + part.tobytes()).hexdigest()
    if key not in _mattes:
        network = _load(file, state.st_mtime_ns, device)
        _mattes[key] = _run(network, part, file, check)
        while len(_mattes) > KEPT:
            _mattes.popitem(last=False)
    _mattes.move_to_end(key)
    whole = np.zeros((height, width), np.float32)
    whole[top:bottom, left:right] = cv2.resize(
        _mattes[key], part.shape[1::-1], interpolation=cv2.INTER_LINEAR
    )
    return whole


def _seen(corners: Corners | None, size: tuple[int, int]) -> Corners:
    if corners is None:
        return 0, 0, *size
    left, top, right, bottom = corners
    across, down = round((right - left) * AROUND), round((bottom - top) * AROUND)
    return (
        max(0, left - across),
        max(0, top - down),
        min(size[0], right + across),
        min(size[1], bottom + down),
    )


def _run(
    network: Network, pixels: NDArray[np.uint8], file: Path, check: Callable[[], None]
) -> Shares:
    """Return a network's matte, at the network's own size."""
    import onnxruntime

    small = cv2.resize(pixels, network.size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    normal = (small - np.array(network.mean, np.float32)) / np.array(network.std, np.float32)
    given = normal.transpose(2, 0, 1)[None].astype(np.float16 if network.half else np.float32)
    session, options = network.session, onnxruntime.RunOptions()
    first = session.get_outputs()[0].name
    with ThreadPoolExecutor(1, "salient") as pool:
        running = pool.submit(session.run, [first], {session.get_inputs()[0].name: given}, options)
        try:
            while not wait([running], LOOK_UP).done:
                check()
        except BaseException:
            options.terminate = True
            raise
    try:
        [matte] = running.result()
    except Exception as error:
        raise _unusable(file, f"it cannot be run: {_line(error)}") from error
    if matte.ndim != 4 or matte.shape[:2] != (1, 1) or not np.isfinite(matte).all():
        raise _unusable(file, f"its first output is {_shape(matte.shape)} instead of one matte")
    matte = matte[0, 0].astype(np.float32)
    if matte.min() < 0 or matte.max() > 1:  # before its sigmoid
        matte = 1 / (1 + np.exp(-np.clip(matte, -30, 30)))
    return np.ascontiguousarray(matte, np.float32)


@lru_cache(maxsize=1)
def _load(file: Path, _changed: int, device: str) -> Network:
    """Load an ONNX file. Raises `UnknownModel` and `MissingDependency`."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingDependency(
            "Networks in ONNX files need the package onnxruntime.",
            path=FIELD,
            fix="Run `pip install 'standee[backend]'` in the daemon's environment.",
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    usable = ["CPUExecutionProvider"]
    if resolve(Options(device=device))[0].type == "cuda":
        usable.insert(0, "CUDAExecutionProvider")
    present = onnxruntime.get_available_providers()
    try:
        session = onnxruntime.InferenceSession(
            str(file), options, providers=[one for one in usable if one in present]
        )
    except Exception as error:
        raise _unusable(file, f"it cannot be loaded: {_line(error)}") from error
    inputs = session.get_inputs()
    shape = tuple(inputs[0].shape) if len(inputs) == 1 else ()
    kind = inputs[0].type if inputs else ""
    if len(shape) != 4 or shape[1] != 3 or kind not in ("tensor(float)", "tensor(float16)"):
        said = ", ".join(f"{one.name} {_shape(one.shape)} {one.type}" for one in inputs)
        raise _unusable(file, f"it takes {said or 'nothing'} instead of one picture")
    mean, std, side = _preparation(file)
    height, width = (one if isinstance(one, int) and one > 0 else side for one in shape[2:])
    return Network(session, (width, height), kind == "tensor(float16)", mean, std)


def _preparation(file: Path) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Return mean and deviation of the colours that a network takes, and px a side where it takes any."""
    for folder in (file.parent, file.parent.parent):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            said = json.loads((folder / "preprocessor_config.json").read_text("utf-8"))
            size = said.get("size", {})
            side = int(size.get("height", size.get("shortest_edge", SIDE)))
            mean, std = (
                tuple(float(one) for one in said[f"image_{name}"]) for name in ("mean", "std")
            )
            if len(mean) == len(std) == 3 and min(std) > 0 and 16 <= side <= 4096:
                return mean, std, side
    mean, std = HALF if PLAIN.search("/".join(file.parts[-3:])) else IMAGENET
    return mean, std, SIDE


def _unusable(file: Path, why: str) -> UnknownModel:
    return UnknownModel(f"{file.name} makes no cut-outs: {why}.", path=FIELD, fix=FIX)


def _shape(shape: Any) -> str:
    return " x ".join(str(one) for one in shape)


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(". ")
