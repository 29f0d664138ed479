"""A document for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standee.composition import Composition, Layer, Rect, Scene
from standee.document import Document

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def document() -> Iterator[Document]:
    """A cat before a scene with a mug, and one result."""
    with Document() as document:
        cat = Layer(picture=document.add_picture(PNG + b"a cat"), rect=Rect(0, 0, 64, 64), id="cat")
        scene = Scene(picture=document.add_picture(PNG + b"a mug"))
        document.composition = Composition(prompt="a cat", layers=(cat,), scene=scene)
        document.add_result(PNG + b"a result", {"seed": 7, "composition": {"prompt": "a cat"}})
        yield document


@pytest.fixture
def saved(document: Document, tmp_path: Path) -> Path:
    """The file of `document`."""
    path = tmp_path / "cat.standee"
    document.save(path)
    return path
