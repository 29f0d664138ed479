"""Staging: which cells a picture owns, what its crop looks like, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from standee import Canvas, Composition, Layer, Rect, Scene, StandeeError
from standee_backend.engine import layout
from standee_backend.engine.layout import LEAST_CROP, absent_subjects, lay_out, resized_scene

PATCH, LATENT_PX = 16, 8


def test_a_front_subject_takes_the_cells_that_it_covers(shelf) -> None:
    back = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(0, 0, 64, 64))
    front = Layer(picture=shelf.flat("blue", 64, 64), rect=Rect(32, 32, 64, 64))
    layout = _lay_out(shelf, back, front)
    owner = layout.arrangement.owner
    assert (owner[2:4, 2:4] == 1).all()
    assert layout.subjects[0].owned.sum() == 16 - 4
    assert layout.subjects[1].owned.sum() == 16


def test_soft_cut_outs_never_add_up_to_more_than_the_picture(shelf) -> None:
    layers = [
        Layer(picture=shelf.disc("red", 80), rect=Rect(10 + 20 * k, 14, 80, 80)) for k in range(3)
    ]
    layout = _lay_out(shelf, *layers)
    total = np.zeros((32, 32))
    for subject in layout.subjects:
        row, col = subject.crop.row * 2, subject.crop.col * 2
        for (r, c), weight in np.ndenumerate(subject.matte):
            if 0 <= row + r < 32 and 0 <= col + c < 32:
                total[row + r, col + c] += weight
    assert total.max() <= 1 + 1e-5
    assert total.max() > 0.99


def test_the_place_is_held_around_subjects_down_to_their_feet(shelf) -> None:
    square = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(96, 96, 64, 64))
    around = _lay_out(shelf, square).around
    assert around[11, 16] == 1  # above it
    assert around[16, 11] == 1  # beside it
    assert around[21, 16] == 0  # below its feet, where its shadow falls
    assert around[16, 16] == 0
    assert around[2, 2] == 0


def test_a_subject_over_the_edge_keeps_only_what_is_on_the_canvas(shelf) -> None:
    layer = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(224, 224, 64, 64))
    [subject] = _lay_out(shelf, layer).subjects
    assert subject.owned.sum() == 4
    assert subject.crop.rows == LEAST_CROP


def test_a_hidden_layer_is_not_staged(shelf) -> None:
    layer = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(0, 0, 64, 64), visible=False)
    assert not _lay_out(shelf, layer).subjects


def test_a_cut_out_is_read_on_grey_and_a_photograph_in_its_surroundings(shelf) -> None:
    cut_out = Layer(picture=shelf.disc("red", 64), rect=Rect(64, 64, 64, 64))
    photograph = Layer(
        picture=shelf.flat("blue", 64, 64),
        mask=shelf.disc("white", 64, ground="black"),
        rect=Rect(160, 64, 64, 64),
    )
    corner = np.s_[6 * PATCH + 1, 6 * PATCH + 1]  # crops of 16 cells, rectangles of 4
    on_grey, in_place = _lay_out(shelf, cut_out, photograph).crops
    assert np.allclose(on_grey[corner], 0.5, atol=0.02)
    assert np.allclose(in_place[corner], (0, 0, 1), atol=0.02)


def test_the_collage_shows_cut_outs_on_the_place_the_front_one_before_the_other(shelf) -> None:
    back = Layer(picture=shelf.flat("red", 96, 96), rect=Rect(64, 64, 96, 96))
    front = Layer(picture=shelf.disc("blue", 64), rect=Rect(80, 80, 64, 64))
    collage = _lay_out(shelf, back, front).collage(np.ones((256, 256, 3), np.float32))
    for at, colour in (((10, 10), (1, 1, 1)), ((70, 70), (1, 0, 0)), ((112, 112), (0, 0, 1))):
        assert np.allclose(collage[at], colour, atol=0.02)


def test_a_mirrored_subject_owns_mirrored_cells(shelf) -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:, :32] = (255, 0, 0, 255)
    digest = shelf.add(picture)
    plain, flipped = (
        _lay_out(shelf, Layer(picture=digest, rect=Rect(64, 64, 64, 64), flip=flip)).subjects[0]
        for flip in (False, True)
    )
    assert (plain.owned == flipped.owned[:, ::-1]).all()
    assert plain.owned[:, :8].any()
    assert not plain.owned[:, 8:].any()


def test_the_scene_is_kept_away_from_the_subjects_only(shelf) -> None:
    layer = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(96, 96, 64, 64))
    scene = Scene(picture=shelf.flat("green", 256, 256), blend=16 / 256)
    layout = lay_out(
        Composition(canvas=Canvas(256, 256), layers=(layer,), scene=scene),
        shelf.read,
        PATCH,
        LATENT_PX,
    )
    assert layout.scene is not None
    assert layout.scene.kept[0, 0] == 1
    assert layout.scene.kept[128, 84] == 0
    assert layout.scene.kept[128, 76] == 1


@pytest.mark.parametrize(
    ("composition", "path"),
    [
        (lambda s: Composition(canvas=Canvas(250, 256)), "$.canvas.width"),
        (
            lambda s: Composition(
                layers=(Layer(picture=s.add_bytes(b"not a picture"), rect=Rect(0, 0, 9, 9)),)
            ),
            "$.layers[0].picture",
        ),
        (
            lambda s: Composition(
                scene=Scene(picture=s.flat("red", 64, 64), rect=Rect(900, 0, 64, 64))
            ),
            "$.scene.rect",
        ),
    ],
    ids=["canvas off the patch", "broken picture", "scene off the canvas"],
)
def test_bad_input_names_its_field_and_the_way_out(shelf, composition, path: str) -> None:
    with pytest.raises(StandeeError) as caught:
        lay_out(composition(shelf), shelf.read, PATCH, LATENT_PX)
    assert caught.value.path == path
    assert caught.value.fix


def test_a_truncated_png_is_refused(shelf) -> None:
    whole = shelf.read(shelf.disc("red", 64))
    layer = Layer(picture=shelf.add_bytes(whole[: len(whole) // 2]), rect=Rect(0, 0, 64, 64))
    with pytest.raises(StandeeError, match="is damaged") as caught:
        _lay_out(shelf, layer)
    assert caught.value.code == "bad-picture"


def _lay_out(shelf, *layers: Layer):
    composition = Composition(canvas=Canvas(256, 256), layers=layers)
    return lay_out(composition, shelf.read, PATCH, LATENT_PX)


@pytest.mark.parametrize("why", ["hidden", "off", "empty"])
def test_a_subject_that_is_nowhere_is_noted_with_its_reason(shelf, why) -> None:
    whole = shelf.flat("red", 64, 64)
    nothing = shelf.add(np.zeros((64, 64, 4), np.uint8))
    picture = nothing if why == "empty" else whole
    rect = Rect(900, 0, 64, 64) if why == "off" else Rect(64, 64, 64, 64)
    lost = Layer(picture=picture, rect=rect, name="the mug")
    front = Layer(
        picture=whole, rect=Rect(32, 32, 128, 128) if why == "hidden" else Rect(0, 0, 32, 32)
    )
    [about] = absent_subjects(_lay_out(shelf, lost, front))
    assert (about.code, about.path) == ("subject-nowhere", "$.layers[0]")
    assert about.values == {"name": "the mug", "why": why}
    assert "the mug" in about.words


@pytest.mark.parametrize("masked", [False, True])
def test_of_a_large_picture_only_what_is_drawn_is_held_and_it_looks_the_same(shelf, masked) -> None:
    ys, xs = np.mgrid[:900, :1300]
    waves = [np.sin(xs / 90) * 100 + 128, np.cos(ys / 70) * 100 + 128, (xs + ys) % 400 / 2]
    inside = np.where((xs - 600) ** 2 + (ys - 430) ** 2 < 160_000, 255, 0)
    photo = np.stack(waves, -1).astype(np.uint8)
    if masked:
        picture, mask = shelf.add(photo), shelf.add(inside.astype(np.uint8))
    else:
        picture, mask = shelf.add(np.dstack([photo, inside]).astype(np.uint8)), None
    at = Rect(64, 64, 96, 96)
    layer = Layer(picture=picture, mask=mask, rect=at, flip=True, fit="cover")
    [small] = _lay_out(shelf, layer).subjects
    assert small.picture.colour.size == (434, 300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout.images, "SPARE", 100)
        [large] = _lay_out(shelf, layer).subjects
    assert large.picture.colour.size == (1300, 900)
    np.testing.assert_array_equal(small.owned, large.owned)
    view = small.crop.rect(PATCH)
    (colour, matte, extent), (colours, mattes, extents) = (
        subject.paint(view, PATCH) for subject in (small, large)
    )
    np.testing.assert_array_equal(extent, extents)
    np.testing.assert_allclose(matte, mattes, atol=0.05)
    np.testing.assert_allclose(colour * matte[..., None], colours * mattes[..., None], atol=0.06)


def test_pictures_that_are_too_much_together_are_refused_by_name(shelf, monkeypatch) -> None:
    monkeypatch.setattr(layout, "MAX_HELD", 64 * 64)
    layer = Layer(picture=shelf.flat("red", 64, 64), rect=Rect(0, 0, 64, 64))
    with pytest.raises(StandeeError) as caught:
        _lay_out(shelf, layer, Layer(picture=layer.picture, rect=layer.rect))
    assert (caught.value.code, caught.value.path) == ("too-large", "$.layers[1].picture")


def test_a_scene_in_another_size_is_noted(shelf) -> None:
    def notes(side: int) -> list:
        scene = Scene(picture=shelf.flat("red", side, side))
        made = Composition(canvas=Canvas(256, 256), scene=scene)
        return resized_scene(lay_out(made, shelf.read, PATCH, LATENT_PX))

    assert notes(256) == []
    [about] = notes(100)
    assert (about.code, about.path) == ("scene-resized", "$.scene.rect")
    assert "100 x 100 px is drawn in 256 x 256" in about.words


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_transparent_of_a_scene_is_generated_and_not_black(shelf, masked) -> None:
    half = np.zeros((256, 256, 4), np.uint8)
    half[:, :128] = (200, 120, 40, 255)
    kept = np.zeros((256, 256), np.uint8)
    kept[:, :128] = 255
    if masked:  # says the same in another way
        half[:, 128:] = (0, 0, 0, 0)
    scene = Scene(picture=shelf.add(half), kept=shelf.add(kept) if masked else None)
    made = Composition(canvas=Canvas(256, 256), scene=scene)
    layout = lay_out(made, shelf.read, PATCH, LATENT_PX).scene
    assert (layout.kept[:, :128] == 1).all()
    assert (layout.kept[:, 128:] == 0).all()
    np.testing.assert_allclose(layout.pixels[:, :128] * 255, half[:, :128, :3], atol=0.01)
    if not masked:
        assert layout.pixels[:, 128:].min() > 0.1, "it goes on, instead of turning black"
