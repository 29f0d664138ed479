"""The token view's data is the engine's own: the same cells, hidden and clipped ones told apart."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from standee import Canvas, Composition, Layer, Rect, Scene
from standee_desktop.model.token_counts import TokenCounter

FULL = np.ones((8, 8), np.float32)


def layer(name: str, *rect: float, **fields: object) -> Layer:
    return Layer(picture=name * 64, rect=Rect(*rect), id=name, **fields)


def test_own_hidden_and_clipped_cells_are_told_apart() -> None:
    below, above = layer("a", -16, 0, 64, 32, fit="stretch"), layer("b", 32, 0, 32, 32)
    composition = Composition(canvas=Canvas(64, 64), layers=(below, above))
    tokens = TokenCounter().count(composition, 16, lambda *_: FULL)
    assert tokens.counts("a") == (4, 2, 2)
    assert tokens.counts("b") == (4, 0, 0)
    assert tokens.counts("nobody") == (0, 0, 0)


def test_a_hidden_layer_owns_nothing_and_covers_nothing() -> None:
    below, above = layer("a", 0, 0, 32, 32), layer("b", 0, 0, 32, 32, visible=False)
    composition = Composition(canvas=Canvas(64, 64), layers=(below, above))
    assert TokenCounter().count(composition, 16, lambda *_: FULL).counts("a") == (4, 0, 0)


def test_a_scene_owns_the_cells_that_it_keeps() -> None:
    kept = np.zeros((8, 8), np.float32)
    kept[:, :4] = 1
    composition = Composition(canvas=Canvas(64, 64), scene=Scene(picture="a" * 64))
    assert TokenCounter().count(composition, 16, lambda *_: kept).counts("") == (8, 0, 0)


def test_a_layer_whose_picture_is_not_read_yet_is_left_out() -> None:
    composition = Composition(layers=(layer("a", 0, 0, 32, 32),))
    assert TokenCounter().count(composition, 16, lambda *_: None).layers == ()


def photograph(seed: int, size: tuple[int, int]) -> bytes:
    random = np.random.default_rng(seed)
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = random.uniform(-0.2, 1, 2) * size
        w, h = random.uniform(0.1, 0.6, 2) * size
        draw.ellipse((x, y, x + w, y + h), fill=(200, 90, 40, int(random.integers(60, 256))))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("seed", range(6))
def test_the_cells_are_those_of_the_engine(seed: int) -> None:
    staging = pytest.importorskip("standee_backend.engine.layout", exc_type=ImportError)
    pytest.importorskip("PySide6")
    from standee_desktop.services.image_cache import make_look

    random = np.random.default_rng(seed)
    blobs, layers = {}, []
    for n in range(4):
        size = tuple(int(side) for side in random.integers(40, 1900, 2))
        name = "abcd"[n] * 64
        blobs[name] = photograph(seed * 10 + n, size)
        x, y, w, h = random.uniform((-60, -60, 30, 30), (200, 200, 200, 200))
        layers.append(
            Layer(
                picture=name,
                rect=Rect(x, y, w, h),
                fit=("contain", "cover", "stretch")[n % 3],
                flip=bool(n % 2),
            )
        )
    composition = Composition(canvas=Canvas(256, 256), layers=tuple(layers))
    engine = staging.stage(composition, blobs.__getitem__, 16, 8).arrangement
    tokens = TokenCounter().count(
        composition, 16, lambda picture, mask: make_look(blobs[picture]).cutout
    )
    np.testing.assert_array_equal(tokens.arrangement.owner, engine.owner)
