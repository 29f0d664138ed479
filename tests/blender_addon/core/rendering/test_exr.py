"""OpenEXR: what is written is read, and no other build is taken for it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from blender_addon.core.rendering import exr
from standee.errors import BadPicture


def test_channels_come_back_as_they_were() -> None:
    draw = np.random.default_rng(0)
    channels = {name: draw.normal(size=(5, 7)).astype(np.float32) for name in ("Z", "A.x", "R")}
    channels["Z"][0, 0] = np.inf
    found = exr.read(exr.write(channels))
    assert set(found) == set(channels)
    for name, values in channels.items():
        assert np.array_equal(found[name], values)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"no picture", "no OpenEXR file"),
        (b"v/1\x01" + struct.pack("<I", 0x202), "tiles, depth or several parts"),
        (exr.write({"R": np.zeros((2, 2))})[:-9], "damaged"),
        (
            exr.write({"R": np.zeros((2, 2))}).replace(b"on\0\x01\0\0\0\0", b"on\0\x01\0\0\0\3"),
            "compressed",
        ),
    ],
)
def test_another_build_is_named(broken: bytes, what: str) -> None:
    with pytest.raises(BadPicture, match=what):
        exr.read(broken)
