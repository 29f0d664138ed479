"""Cut-outs: by transparency, by GrabCut from a box, by a mask-generation model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from standee import Rect
from standee.errors import BadPicture, InvalidField, UnknownModel
from standee.wire.messages import Point
from standee_backend.engine.cutout.cutout import cut_out, useful_alpha
from standee_backend.engine.cutout.grabcut import FINE_SIDE

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


def test_the_edge_is_soft_by_about_a_pixel() -> None:
    picture = Image.new("RGB", (120, 120), (90, 140, 90))
    ImageDraw.Draw(picture).rectangle((40, 40, 79, 79), fill=(200, 40, 40))
    row = cut_out(picture, box=Rect(30, 30, 60, 60))[60]
    assert row[44:76].min() == 255
    assert 1 <= np.count_nonzero((row > 0) & (row < 255)) <= 8
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


# -- mask-generation models --------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_sam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random SAM of a few thousand weights, as transformers saves it."""
    import transformers

    torch.manual_seed(0)
    vision = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 8,
        "output_channels": 16,
        "window_size": 4,
        "global_attn_indexes": [1],
        "mlp_dim": 64,
        "num_pos_feats": 8,
    }
    prompt = {"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4}
    decoder = {
        "hidden_size": 16,
        "mlp_dim": 32,
        "num_attention_heads": 2,
        "iou_head_hidden_dim": 16,
    }
    config = transformers.SamConfig(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )
    processor = transformers.SamProcessor(
        transformers.SamImageProcessor(
            size={"longest_edge": 64},
            pad_size={"height": 64, "width": 64},
            mask_size={"longest_edge": 16},
            mask_pad_size={"height": 16, "width": 16},
        )
    )
    folder = tmp_path_factory.mktemp("sam")
    transformers.SamModel(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    "prompt",
    [
        {},
        {"box": Rect(10, 10, 60, 60)},
        {"points": (Point(40, 40),)},
        {"points": (Point(40, 40), Point(5, 5, inside=False)), "box": Rect(10, 10, 60, 60)},
    ],
)
def test_a_mask_generation_model_takes_boxes_and_points(tiny_sam: Path, prompt) -> None:
    picture, _ = figure_on("beach", "fox", (60, 60), 180)
    mask = cut_out(picture.resize((120, 90)), model=str(tiny_sam), **prompt)
    assert mask.shape == (90, 120)
    assert mask.dtype == np.uint8
    assert mask.any()


def test_the_prompt_reaches_the_model_in_its_own_pixels(
    tiny_sam: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SAM sees the picture with its long side at 64 px; boxes and points must shrink with it."""
    import transformers

    seen = {}
    forward = transformers.SamModel.forward

    def watch(self, **inputs):
        seen.update(inputs)
        return forward(self, **inputs)

    monkeypatch.setattr(transformers.SamModel, "forward", watch)
    points = (Point(64, 32), Point(100, 90, inside=False))
    cut_out(
        Image.new("RGB", (128, 128)), box=Rect(20, 40, 60, 80), points=points, model=str(tiny_sam)
    )
    assert seen["input_boxes"].flatten().tolist() == [10, 20, 40, 60]
    assert seen["input_points"].flatten().tolist() == [32, 16, 50, 45]
    assert seen["input_labels"].flatten().tolist() == [1, 0]


@pytest.mark.parametrize("model", ["/no/such/folder", "sam", "../sam"])
def test_an_unknown_model_is_refused_at_once(model: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        cut_out(Image.new("RGB", (80, 80)), model=model)
    assert caught.value.path == "$.model"
    assert "sam-vit" in caught.value.fix


def test_a_model_that_makes_no_masks_is_refused_by_its_kind(tiny_flux: Path) -> None:
    with pytest.raises(UnknownModel, match="t5"):
        cut_out(Image.new("RGB", (80, 80)), model=str(tiny_flux / "text_encoder_2"))
