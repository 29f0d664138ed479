"""One arrangement: engine, editor and Blender say the same owner of every cell."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from standee import Canvas, Composition, Layer, Rect, Scene
from standee.arrangement import Backdrop, VisibleLayer, kept_pixels, over_scene, reduce_mask
from standee.errors import InvalidField
from standee.geometry import NOBODY, arrange, token_grid
from standee.images import as_mask
from standee.pictures import decode
from standee_desktop.model.token_counts import TokenCounter

pytest.importorskip("PySide6")
from standee_desktop.services.image_cache import make_look

engine_layout = pytest.importorskip("standee_backend.engine.layout", exc_type=ImportError)

PATCH, LATENT_PX = 16, 8
SIZES = st.one_of(st.integers(1, 90), st.sampled_from([256, 640, 1025, 1601]))


def blobs_in(image: Image.Image, seed: int) -> Image.Image:
    """Draw soft and hard spots on a picture."""
    random, draw = np.random.default_rng(seed), ImageDraw.Draw(image)
    for _ in range(6):
        x, y = random.uniform(-0.2, 1, 2) * image.size
        w, h = random.uniform(0.05, 0.7, 2) * image.size
        level = int(random.choice([255, 255, 128, 60]))
        draw.ellipse(
            (x, y, x + w, y + h), fill=(90, 120, 200, level) if image.mode == "RGBA" else level
        )
    return image


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    """A photograph, or a cut-out, of any size."""
    size, seed = (draw(SIZES), draw(SIZES)), draw(st.integers(0, 999))
    if draw(st.booleans()):
        image = Image.new("RGB", size, "white")
    else:
        image = blobs_in(Image.new("RGBA", size), seed)
    return encoded(image)


@st.composite
def masks(draw: st.DrawFn) -> bytes | None:
    """No mask, or one of any size and mode."""
    mode = draw(st.sampled_from(["", "L", "RGBA", "1"]))
    if not mode:
        return None
    image = blobs_in(Image.new("L", (draw(SIZES), draw(SIZES))), draw(st.integers(0, 999)))
    return encoded(image.convert(mode))


def encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def rects(canvas: Canvas) -> st.SearchStrategy[Rect]:
    """Rectangles on the canvas, over its edges and beyond them, seldom on whole px."""
    place, length = st.integers(-400, 11 * canvas.width), st.integers(5, 8 * canvas.width)
    tenths = st.tuples(place, place, length, length)
    return tenths.map(lambda numbers: Rect(*(number / 10 for number in numbers)))


@st.composite
def compositions(draw: st.DrawFn) -> tuple[Composition, dict[str, bytes]]:
    canvas = Canvas(draw(st.sampled_from([256, 320])), draw(st.sampled_from([192, 256])))
    shelf: dict[str, bytes] = {}

    def keep(data: bytes | None) -> str | None:
        if data is None:
            return None
        digest = f"{len(shelf):064x}"
        shelf[digest] = data
        return digest

    fits = st.sampled_from(["contain", "cover", "stretch"])
    layers = tuple(
        Layer(
            picture=keep(draw(pictures())) or "",
            mask=keep(draw(masks())),
            rect=draw(rects(canvas)),
            fit=draw(fits),
            flip=draw(st.booleans()),
            rotation=draw(st.sampled_from([0, 900, 1800, -900]) | st.integers(-1800, 3600)) / 10,
            opacity=draw(st.sampled_from([1.0, 1.0, 0.6, 0.5, 0.3, 0.0])),
        )
        for _ in range(draw(st.integers(1, 3)))
    )
    scene = None
    if draw(st.integers(0, 3)):
        scene = Scene(
            picture=keep(draw(pictures())) or "",
            kept=keep(draw(masks())),
            rect=draw(st.none() | rects(canvas)),
            fit=draw(fits),
            blend=draw(st.sampled_from([0.0, 0.03, 0.125])),
        )
    return Composition(canvas=canvas, layers=layers, scene=scene), shelf


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(compositions())
def test_the_faces_draw_the_cells_that_the_engine_owns(
    made: tuple[Composition, dict[str, bytes]],
) -> None:
    composition, shelf = made
    try:
        engine = owned_by_the_engine(composition, shelf)
    except InvalidField:  # a scene too thin for a single px
        reject()
    editor = TokenCounter().count(
        composition,
        PATCH,
        lambda picture, mask: make_look(shelf[picture], mask and shelf[mask]).cut_out,
    )
    np.testing.assert_array_equal(editor.arrangement.owner, engine)
    np.testing.assert_array_equal(owned_in_blender(composition, shelf), engine)


def owned_by_the_engine(composition: Composition, shelf: dict[str, bytes]) -> np.ndarray:
    """Who owns each cell of what the engine has laid out, by number; the scene is 0 if there is one."""
    layout = engine_layout.lay_out(composition, shelf.__getitem__, PATCH, LATENT_PX)
    number = {index: n for n, index in enumerate(shown(composition))}
    owner = np.full((layout.grid.rows, layout.grid.cols), NOBODY)
    if layout.scene is not None:
        owner[layout.scene.owned] = 0
    for subject in layout.subjects:
        part = subject.crop.clip(layout.grid)
        mine = subject.owned[part.within(subject.crop)]
        owner[part.within(layout.grid)][mine] = number[subject.index] + (layout.scene is not None)
    return owner


def shown(composition: Composition) -> list[int]:
    return [index for index, layer in enumerate(composition.layers) if layer.shown]


def owned_in_blender(composition: Composition, shelf: dict[str, bytes]) -> np.ndarray:
    """As the extension counts, which has pixels as numbers 0..1 and no Pillow."""

    def pixels(digest: str) -> np.ndarray:
        return np.asarray(decode(shelf[digest]).image.convert("RGBA"), np.float32) / 255

    def cut_out(picture: str, mask: str | None) -> tuple[np.ndarray, tuple[int, int]]:
        own = pixels(picture)
        alpha = own[..., 3]
        if mask is not None:
            given = pixels(mask)
            alpha = as_mask(given[..., :3] @ np.float32([0.299, 0.587, 0.114]), given[..., 3])
        return alpha, (own.shape[1], own.shape[0])

    placed = []
    for layer in filter(lambda layer: layer.shown, composition.layers):
        alpha, size = cut_out(layer.picture, layer.mask)
        one = VisibleLayer(
            reduce_mask(alpha), layer.rect, layer.fit, layer.flip, size,
            layer.rotation, layer.opacity,
        )  # fmt: skip
        placed.append(one.place(PATCH))
    scene, canvas = composition.scene, composition.canvas
    if scene is None:
        return arrange(token_grid(canvas, PATCH), placed).owner
    stays, size = cut_out(scene.picture, scene.kept)
    kept = kept_pixels(Backdrop(stays, size, scene.rect, scene.fit), canvas)
    return over_scene(placed, kept, scene.blend, canvas, PATCH).owner
