"""Cut-outs: by transparency, by GrabCut, by a salient-object network, by clicks, by a mask-generation model."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from standee import Rect
from standee.errors import BadPicture, InvalidField
from standee.wire.messages import Point
from standee_backend.catalog.model_card import CutoutModels
from standee_backend.engine.cutout.cutout import cut_out, useful_alpha
from standee_backend.engine.cutout.grabcut import FINE_SIDE
from support.networks.salient import save_salient

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


def overlap(mask: NDArray[np.uint8], truth: NDArray[np.bool_]) -> float:
    """Return the intersection over the union."""
    inside = mask >= 128
    return float((inside & truth).sum() / (inside | truth).sum())


def figure_on(ground: str, name: str, at: tuple[int, int], side: int) -> tuple[Image.Image, Rect]:
    """Paste one of the example figures on an example scene; also return its true box."""
    scene = Image.open(EXAMPLES / "scenes" / f"{ground}.png").convert("RGB").resize((300, 300))
    figure = Image.open(EXAMPLES / "subjects" / f"{name}.png").convert("RGBA").resize((side, side))
    scene.paste(figure, at, figure)
    left, top, right, bottom = figure.getchannel("A").point(lambda a: 255 * (a > 127)).getbbox()
    return scene, Rect(at[0] + left, at[1] + top, right - left, bottom - top)


def truth_of(name: str, at: tuple[int, int], side: int) -> NDArray[np.bool_]:
    figure = Image.open(EXAMPLES / "subjects" / f"{name}.png").convert("RGBA").resize((side, side))
    truth = np.zeros((300, 300), bool)
    truth[at[1] : at[1] + side, at[0] : at[0] + side] = np.asarray(figure.getchannel("A")) > 127
    return truth


def grow(box: Rect, by: float) -> Rect:
    return Rect(box.x - by, box.y - by, box.w + 2 * by, box.h + 2 * by)


# -- transparency ------------------------------------------------------------------------------


def test_a_pictures_own_transparency_is_its_cut_out() -> None:
    picture = Image.open(EXAMPLES / "subjects" / "fox.png")
    assert np.array_equal(cut_out(picture), np.asarray(picture.getchannel("A")))


@pytest.mark.parametrize("alpha", [255, 0, 200])
def test_transparency_that_tells_nothing_is_not_used(alpha: int) -> None:
    assert useful_alpha(Image.new("RGBA", (64, 64), (200, 40, 40, alpha))) is None


def test_a_box_never_cuts_wider_than_the_transparency() -> None:
    picture = Image.open(EXAMPLES / "subjects" / "robot.png").convert("RGBA")
    mask = cut_out(picture, box=Rect(20, 20, picture.width - 40, picture.height - 40))
    assert (mask <= np.asarray(picture.getchannel("A"))).all()
    assert not mask[:16].any()


# -- GrabCut -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ground", "name", "at", "side"),
    [("beach", "robot", (60, 70), 180), ("meadow", "mug", (90, 60), 170)],
)
def test_a_box_around_a_figure_cuts_it_out(
    ground: str, name: str, at: tuple[int, int], side: int
) -> None:
    picture, box = figure_on(ground, name, at, side)
    mask = cut_out(picture, box=grow(box, 6))
    assert mask.shape == (300, 300)
    assert overlap(mask, truth_of(name, at, side)) > 0.93


def test_nothing_outside_the_box_is_cut_out() -> None:
    picture, box = figure_on("beach", "fox", (60, 60), 180)
    mask = cut_out(picture, box=Rect(box.x, box.y, box.w, box.h / 2))
    assert not mask[int(box.y + box.h / 2) + 3 :].any()


def test_without_a_box_the_middle_is_cut_out() -> None:
    picture = Image.new("RGB", (200, 160), (90, 140, 90))
    ImageDraw.Draw(picture).ellipse((50, 30, 150, 130), fill=(200, 40, 40))
    truth = np.asarray(picture)[..., 0] > 150
    assert overlap(cut_out(picture), truth) > 0.98


@pytest.mark.parametrize(("blur", "least", "most"), [(0, 0, 0), (1, 4, 12)])
def test_the_edge_is_as_soft_as_the_pictures(blur: int, least: int, most: int) -> None:
    picture = Image.new("RGB", (120, 120), (90, 140, 90))
    ImageDraw.Draw(picture).rectangle((40, 40, 79, 79), fill=(200, 40, 40))
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    row = cut_out(picture, box=Rect(30, 30, 60, 60))[60]
    assert row[44:76].min() == 255
    assert least <= np.count_nonzero((row > 0) & (row < 255)) <= most
    assert not row[:36].any()


def test_points_add_what_was_missed_and_take_away_what_was_not_meant() -> None:
    picture = Image.new("RGB", (200, 120), (90, 140, 90))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((30, 30, 90, 90), fill=(200, 40, 40))
    draw.ellipse((120, 30, 180, 90), fill=(40, 40, 200))
    box = Rect(20, 20, 170, 80)
    both = cut_out(picture, box=box)
    assert both[60, 60] == both[60, 150] == 255
    red = cut_out(picture, box=box, points=(Point(60, 60), Point(150, 60, inside=False)))
    assert red[60, 60] == 255
    assert not red[60, 122:178].any()


def test_the_same_picture_gives_the_same_mask() -> None:
    picture, box = figure_on("meadow", "teddy_bear", (70, 60), 170)
    assert np.array_equal(cut_out(picture, box=box), cut_out(picture, box=box))


def test_a_large_picture_gets_a_mask_of_its_own_size() -> None:
    side = 2 * FINE_SIDE
    picture = Image.new("RGB", (side, side // 2), (90, 140, 90))
    ImageDraw.Draw(picture).ellipse((600, 200, 1400, 900), fill=(200, 40, 40))
    mask = cut_out(picture, box=Rect(560, 160, 880, 780))
    assert mask.shape == (side // 2, side)
    assert overlap(mask, np.asarray(picture)[..., 0] > 150) > 0.985


def test_photographs_are_cut_out_from_a_box(shared: Path) -> None:
    for name, least in (("teddy_bear", 0.92), ("white_cat", 0.88)):
        truth = np.asarray(Image.open(shared / "photos" / f"{name}_mask.png").convert("L")) > 127
        rows, cols = np.nonzero(truth)
        box = Rect(
            float(cols.min()), float(rows.min()), float(np.ptp(cols)) + 1, float(np.ptp(rows)) + 1
        )
        mask = cut_out(Image.open(shared / "photos" / f"{name}.jpg"), box=grow(box, 4))
        assert overlap(mask, truth) > least, name


# -- salient-object networks, and clicks -------------------------------------------------------


@pytest.fixture
def reds(tmp_path: Path) -> str:
    """A network that red stands out to."""
    return str(save_salient(tmp_path / "isnet.onnx", level=-8.0))


@pytest.fixture
def corner() -> Image.Image:
    """A red disc in a corner of a green picture, and a blue one in another."""
    picture = Image.new("RGB", (240, 160), (60, 130, 60))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 84, 75, 155), fill=(210, 40, 30))
    draw.ellipse((170, 10, 229, 69), fill=(40, 60, 210))
    return picture


def disc(picture: Image.Image, channel: int) -> NDArray[np.bool_]:
    return np.asarray(picture)[..., channel] > 150


def test_what_stands_out_to_a_network_is_cut_out_wherever_it_is(corner, reds: str) -> None:
    with pytest.raises(InvalidField):
        cut_out(corner)  # GrabCut alone looks in the middle
    assert overlap(cut_out(corner, model=reds), disc(corner, 0)) > 0.97


def test_the_usual_network_counts_where_none_is_named(corner, reds: str) -> None:
    usual = CutoutModels(model=reds)
    by_network = cut_out(corner, model=reds)
    assert np.array_equal(cut_out(corner, usual=usual), by_network)
    with pytest.raises(InvalidField):
        cut_out(corner, model="grabcut", usual=usual)


def test_a_network_that_finds_nothing_leaves_it_to_grabcut(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 160), (90, 140, 90))
    ImageDraw.Draw(picture).ellipse((50, 30, 150, 130), fill=(40, 40, 200))
    blind = str(save_salient(tmp_path / "blind.onnx", level=-99.0))
    assert np.array_equal(cut_out(picture, model=blind), cut_out(picture))


def test_grabcut_completes_what_a_network_is_unsure_of(tmp_path: Path) -> None:
    """A third of the figure is in its shadow, which the network takes for half of a figure."""
    picture = Image.new("RGB", (200, 160), (60, 130, 60))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((50, 30, 150, 130), fill=(220, 30, 30))
    draw.chord((50, 30, 150, 130), 30, 150, fill=(130, 20, 20))
    truth = np.asarray(picture)[..., 1] < 80
    unsure = str(save_salient(tmp_path / "n.onnx", weights=(9.0, -9.0, -9.0), level=-1.0))
    assert overlap(cut_out(picture, model=unsure), truth) > 0.97


def test_a_click_adds_a_piece_and_another_takes_it_away(corner, reds: str) -> None:
    red, blue = disc(corner, 0), disc(corner, 2)
    add = Point(200, 40)
    both = cut_out(corner, model=reds, points=(add,))
    assert overlap(both, red | blue) > 0.95
    one = cut_out(corner, model=reds, points=(add, Point(40, 120, inside=False)))
    assert overlap(one, blue) > 0.95


def test_a_click_where_all_is_right_changes_nothing(corner, reds: str) -> None:
    points = (Point(40, 120), Point(120, 20, inside=False))
    assert np.array_equal(cut_out(corner, model=reds, points=points), cut_out(corner, model=reds))


def test_a_painted_mask_stays_as_it_is_but_for_the_piece_under_a_click(corner, reds: str) -> None:
    painted = np.zeros((160, 240), np.uint8)
    painted[80:150, 20:60] = 200  # by a soft hand, and beside the figure
    painted[20:30, 100:110] = 255
    mask = cut_out(corner, mask=Image.fromarray(painted), model=reds, points=(Point(200, 40),))
    blue = disc(corner, 2)
    assert overlap(mask[:, 160:], blue[:, 160:]) > 0.95
    assert np.array_equal(mask[:, :150], painted[:, :150])


def test_the_edge_of_a_painted_mask_is_found_anew(corner) -> None:
    red = disc(corner, 0)
    rough = Image.fromarray(red.astype(np.uint8) * 255).resize((60, 40)).resize((240, 160))
    mask = cut_out(corner, mask=rough)
    assert overlap(mask, red) > max(0.98, overlap(np.asarray(rough), red))


def test_clicks_go_to_the_mask_generation_model_that_is_usual_for_them(
    corner, reds: str, tiny_sam: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked about the box around the network's answer and the click."""
    from standee_backend.engine.cutout import segmentation

    asked = []

    def segment(pixels, corners, points, *_):
        asked.append((corners, points))
        return disc(corner, 2)

    monkeypatch.setattr(segmentation, "segment", segment)
    usual = CutoutModels(model=reds, clicks=str(tiny_sam))
    mask = cut_out(corner, points=(Point(200, 40),), usual=usual)
    [((left, top, right, bottom), points)] = asked
    assert (left, bottom) == pytest.approx((4, 156), abs=5)
    assert (top, right) == pytest.approx((40, 201), abs=2)
    assert points == (Point(200, 40),)
    assert overlap(mask, disc(corner, 0) | disc(corner, 2)) > 0.95


def test_progress_is_told_and_a_cancellation_is_heard(corner, reds: str) -> None:
    from standee.errors import JobCancelled
    from standee_backend.catalog.download import DownloadObserver

    told = []

    def check() -> None:
        if told:
            raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        cut_out(
            corner, model=reds, observer=DownloadObserver(lambda *said: told.append(said), check)
        )
    assert told == [("cutout", 0, 3, None)]


def test_photographs_are_cut_out_by_a_real_network(shared: Path) -> None:
    """Never worse than GrabCut alone, and well: see also benchmarks/cutout/quality.py."""
    file = Path(os.environ.get("STANDEE_ISNET", shared / "cutout" / "isnet_medium.onnx"))
    if not file.is_file():
        pytest.skip(
            f"needs the network that {shared / 'cutout'} tells how to get, in STANDEE_ISNET"
        )
    for name, least in (("teddy_bear", 0.96), ("white_cat", 0.95)):
        truth = np.asarray(Image.open(shared / "photos" / f"{name}_mask.png").convert("L")) > 127
        mask = cut_out(Image.open(shared / "photos" / f"{name}.jpg"), model=str(file))
        assert overlap(mask, truth) > least, name


# -- what cannot be cut out --------------------------------------------------------------------


@pytest.mark.parametrize(
    "box", [Rect(100, 0, 50, 50), Rect(-60, -60, 50, 50), Rect(10, 10, 0.5, 40)]
)
def test_a_box_beside_the_picture_is_refused(box: Rect) -> None:
    with pytest.raises(InvalidField) as caught:
        cut_out(Image.new("RGB", (80, 80)), box=box)
    assert caught.value.path == "$.box"


def test_a_point_beside_the_picture_is_refused() -> None:
    with pytest.raises(InvalidField) as caught:
        cut_out(Image.new("RGB", (80, 80)), points=(Point(4, 4), Point(80, 10)))
    assert caught.value.path == "$.points[1]"


def test_a_picture_of_a_few_pixels_is_refused() -> None:
    with pytest.raises(BadPicture):
        cut_out(Image.new("RGB", (5, 300)))


def test_a_picture_of_one_colour_is_one_clear_error() -> None:
    with pytest.raises(InvalidField, match="surroundings") as caught:
        cut_out(Image.new("RGB", (64, 64), "red"))
    assert caught.value.path == "$.box"


def test_a_box_around_everything_still_leaves_some_background() -> None:
    picture = Image.new("RGB", (64, 64), (90, 140, 90))
    ImageDraw.Draw(picture).ellipse((16, 16, 47, 47), fill=(200, 40, 40))
    truth = np.asarray(picture)[..., 0] > 150
    assert overlap(cut_out(picture, box=Rect(0, 0, 64, 64)), truth) > 0.95
