"""A salient-object network of four numbers in an ONNX file, written without the package onnx.

It takes a picture for the subject where its weighed colours are above a level: one convolution of
1 x 1 px, and a sigmoid unless that is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

FLOAT, IR_VERSION, OPSET = 1, 8, 13
RED = (24.0, -24.0, -24.0)
"""Weights that tell red from everything else."""


def save_salient(
    file: Path,
    weights: Sequence[float] = RED,
    level: float = 0.0,
    side: int | None = 32,
    sigmoid: bool = True,
    channels: int = 3,
) -> Path:
    """Save the network; it takes pictures of `side` px, or with `None` of any size."""
    shape = [1, channels, side or "height", side or "width"]
    last = "matte" if sigmoid else "logits"
    nodes = [_node("Conv", ["picture", "weights", "level"], "logits")]
    if sigmoid:
        nodes.append(_node("Sigmoid", ["logits"], "matte"))
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _text(2, "salient"),
            _field(5, _tensor("weights", [1, channels, 1, 1], [*weights, *[0.0] * (channels - 3)])),
            _field(5, _tensor("level", [1], [level])),
            _field(11, _value("picture", shape)),
            _field(12, _value(last, [1, 1, *shape[2:]])),
        ]
    )
    opset = _number(2, OPSET)
    file.write_bytes(_number(1, IR_VERSION) + _field(7, graph) + _field(8, opset))
    return file


def _node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, kind)


def _tensor(name: str, dims: Sequence[int], values: Sequence[float]) -> bytes:
    data = struct.pack(f"<{len(values)}f", *values)
    sizes = b"".join(_number(1, dim) for dim in dims)
    return sizes + _number(2, FLOAT) + _text(8, name) + _field(9, data)


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        _field(1, _text(2, one) if isinstance(one, str) else _number(1, one)) for one in shape
    )
    kind = _field(1, _number(1, FLOAT) + _field(2, dims))
    return _text(1, name) + _field(2, kind)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, value: str) -> bytes:
    return _field(field, value.encode())
