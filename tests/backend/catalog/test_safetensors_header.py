"""Headers of safetensors files, as strangers send them."""

import json
import os
from pathlib import Path

import pytest

from standee_backend.catalog.safetensors_header import LONGEST, read_header


def written(file: Path, header: bytes, length: int | None = None) -> Path:
    """A file with this header, which tells the `length` that it has unless another is given."""
    told = len(header) if length is None else length
    file.write_bytes(told.to_bytes(8, "little") + header)
    return file


def test_a_header_is_read_without_the_weights(tmp_path: Path) -> None:
    header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    assert read_header(written(tmp_path / "a", json.dumps(header).encode())) == header


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"\xff\xfe", None),
        (b"[" * 200_000, None),  # deeper than Python reads
        (b"{}", LONGEST + 1),
        (b"{}", 2**64 - 1),
    ],
)
def test_what_is_no_header_is_none(tmp_path: Path, header: bytes, length: int | None) -> None:
    assert read_header(written(tmp_path / "a", header, length)) is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "a")
    assert read_header(tmp_path / "a") is None
