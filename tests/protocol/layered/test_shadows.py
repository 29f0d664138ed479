"""Shadows as a layer: the scene under it looks as the result, and nothing is made up where it cannot be told."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from standee.composition import Canvas, Composition, Layer, Rect, Scene
from standee.document.document import Document
from standee.layered.exchange import document_of, layered_of, read_layered
from standee.layered.raster_layers import SHADOWS, RasterLayer
from standee.layered.rasterize import rasterized

SIZE = 192, 128
CAT = Rect(60, 20, 60, 60)


def encoded(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def values(layer: RasterLayer) -> np.ndarray:
    """Return a layer on its canvas (height, width, 4), 0..1."""
    whole = Image.new("RGBA", SIZE)
    whole.paste(Image.open(io.BytesIO(layer.png)).convert("RGBA"), (layer.x, layer.y))
    return np.asarray(whole) / 255


@pytest.fixture
def place() -> np.ndarray:
    """A textured wall that goes from light to darker, 0..255."""
    across = np.linspace(220, 150, SIZE[0])[None, :, None]
    texture = np.random.default_rng(0).normal(0, 4, (SIZE[1], SIZE[0], 1))
    return np.clip(across * [1.0, 0.9, 0.8] + texture, 0, 255)


@pytest.fixture
def shade() -> np.ndarray:
    """A soft shadow below the cat, bluish; 1 where there is none."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    depth = 0.5 * np.exp(-(((x - 100) / 30) ** 2) - ((y - 88) / 10) ** 2)
    return 1 - depth[..., None] * [1.0, 0.9, 0.8]


@pytest.fixture
def staged(place: np.ndarray) -> Document:
    document = Document()
    disc = Image.new("RGBA", (60, 60))
    ImageDraw.Draw(disc).ellipse((0, 0, 59, 59), fill="tomato")
    out = io.BytesIO()
    disc.save(out, "PNG")
    cat, wall = document.add_picture(out.getvalue()), document.add_picture(encoded(place))
    document.composition = Composition(
        Canvas(*SIZE), layers=(Layer(CAT, cat, name="cat"),), scene=Scene(wall)
    )
    return document


@pytest.fixture
def composed(staged: Document, place: np.ndarray) -> Callable[..., bytes]:
    """Return a result: the wall as dark as is said, with the cat before it."""

    def paint(shade: np.ndarray | float = 1.0) -> bytes:
        shown = Image.fromarray(np.rint(place * shade).astype(np.uint8)).convert("RGBA")
        cat = staged.composition.layers[0].picture
        shown.alpha_composite(Image.open(io.BytesIO(staged.read(cat))), (60, 20))
        return encoded(np.asarray(shown.convert("RGB")))

    return paint


def test_the_scene_under_its_shadows_looks_as_the_result(
    staged: Document, place: np.ndarray, shade: np.ndarray, composed: Callable[..., bytes]
) -> None:
    picture = rasterized(staged.composition, staged.read, composed(shade))
    assert picture.shadows == "told"
    assert [one.name for one in picture.layers][1:3] == [SHADOWS, "cat"]
    shadow = values(picture.layers[1])
    factor = 1 - shadow[..., 3:] * (1 - shadow[..., :3])
    outside = values(picture.layers[2])[..., 3] == 0
    off = abs(place / 255 * factor - place / 255 * shade)[outside]
    assert off.mean() < 0.005
    assert np.quantile(off, 0.99) < 0.04
    before = abs(place / 255 - place / 255 * shade)[outside]
    assert before.max() > 0.3, "there was something to tell"
    assert (shadow[..., 3][shade.min(2) > 0.995] == 0).mean() > 0.99, "elsewhere it is not there"
    assert (shadow[..., 3][~outside] == 0).all()


@pytest.mark.parametrize("told", ["none", "unlike"])
def test_where_it_cannot_be_told_there_is_no_layer(
    staged: Document, composed: Callable[..., bytes], told: str
) -> None:
    other = np.random.default_rng(1).uniform(0, 90, (SIZE[1], SIZE[0], 3))
    result = composed() if told == "none" else encoded(other)
    picture = rasterized(staged.composition, staged.read, result)
    assert picture.shadows == told
    assert SHADOWS not in [one.name for one in picture.layers]


@pytest.mark.parametrize("suffix", [".ora", ".psd"])
def test_shadows_multiply_in_the_file_and_are_no_subject_when_it_comes_in(
    staged: Document, shade: np.ndarray, composed: Callable[..., bytes], tmp_path: Path, suffix: str
) -> None:
    pytest.importorskip("psd_tools") if suffix == ".psd" else None
    data, _ = layered_of(suffix, staged.composition, staged.read, composed(shade), {})
    path = tmp_path / f"out{suffix}"
    path.write_bytes(data)
    if suffix == ".psd":
        from psd_tools import PSDImage

        modes = {one.name: one.blend_mode.name for one in PSDImage.open(path)}
        assert modes[SHADOWS] == "MULTIPLY"
        assert modes["cat"] == "NORMAL"
    picture = read_layered(path)
    assert SHADOWS not in picture.plain
    again = document_of(picture).composition
    assert [one.name for one in again.layers] == ["cat"]
    assert again.scene is not None
