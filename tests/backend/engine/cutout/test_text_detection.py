"""Words become a box, and a box, points or both become a mask, by transformers' own networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image, ImageDraw

from standee import Rect
from standee.errors import InvalidField, MissingDependency, UnknownModel
from standee.wire.messages import Point
from standee_backend.engine.cutout import networks, text_detection
from standee_backend.engine.cutout.cutout import cut_out
from support.networks import pretrained


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(pretrained.save_sam2(tmp_path_factory.mktemp("sam2")))


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(pretrained.save_finder(tmp_path_factory.mktemp("finder")))


@pytest.fixture
def picture() -> Image.Image:
    """A scene of 128 x 96 px with a red thing in it."""
    noise = np.random.default_rng(0).integers(0, 90, (96, 128, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    ImageDraw.Draw(picture).ellipse((40, 20, 90, 70), fill=(220, 30, 30))
    return picture


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What reaches each network's forward, by the name of its class."""
    seen: dict[str, dict[str, Any]] = {}
    for kind in (transformers.Sam2Model, transformers.GroundingDinoForObjectDetection):

        def watch(self, *, forward=kind.forward, name=kind.__name__, **inputs):
            seen[name] = inputs
            return forward(self, **inputs)

        monkeypatch.setattr(kind, "forward", watch)
    return seen


@pytest.fixture
def unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take whatever a random network finds."""
    monkeypatch.setattr(text_detection, "SURE", 0.0)


# -- SAM 2 -------------------------------------------------------------------------------------


def test_a_box_and_points_reach_sam_2_in_its_own_pixels(sam2: str, picture, seen) -> None:
    """It sees the picture stretched to 64 x 64 px."""
    points = (Point(64, 48), Point(100, 90, inside=False))
    mask = cut_out(picture, box=Rect(32, 24, 64, 48), points=points, model=sam2)
    assert mask.shape == (96, 128)
    inputs = seen["Sam2Model"]
    assert inputs["input_boxes"].flatten().tolist() == [16, 16, 48, 48]
    assert inputs["input_points"].flatten().tolist() == [32, 32, 50, 60]
    assert inputs["input_labels"].flatten().tolist() == [1, 0]
    assert inputs["multimask_output"] is False


def test_sam_2_sees_the_pictures_colours_normalised(sam2: str, seen) -> None:
    cut_out(Image.new("RGB", (128, 96), (255, 0, 128)), model=sam2)
    pixels = seen["Sam2Model"]["pixel_values"]
    assert pixels.shape == (1, 3, 64, 64)
    colours = torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])
    torch.testing.assert_close(pixels, colours.view(1, 3, 1, 1).expand_as(pixels))


def test_another_prompt_gives_another_mask(sam2: str, picture) -> None:
    masks = [
        cut_out(picture, model=sam2, **prompt)
        for prompt in (
            {"points": (Point(60, 40),)},
            {"points": (Point(5, 90),)},
            {"box": Rect(30, 10, 60, 60)},
        )
    ]
    assert all(mask.any() for mask in masks)
    assert not np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])


def test_of_one_points_masks_the_best_rated_is_taken(sam2: str, picture, seen, monkeypatch) -> None:
    rated = {}
    forward = transformers.Sam2Model.forward

    def rate(self, **inputs):
        out = forward(self, **inputs)
        rated["masks"] = out.pred_masks
        out.iou_scores = torch.tensor([[[0.1, 0.9, 0.3]]])
        return out

    monkeypatch.setattr(transformers.Sam2Model, "forward", rate)
    mask = cut_out(picture, points=(Point(60, 40),), model=sam2) >= 128
    assert rated["masks"].shape[2] == 3
    shares = []
    for one in rated["masks"][0, 0]:
        large = torch.nn.functional.interpolate(one[None, None], (96, 128), mode="bilinear")
        shares.append(float(((large[0, 0] > 0).numpy() == mask).mean()))
    assert int(np.argmax(shares)) == 1


def test_a_network_stays_loaded_between_clicks(sam2: str, picture, monkeypatch) -> None:
    cut_out(picture, points=(Point(60, 40),), model=sam2)
    monkeypatch.setattr(transformers.Sam2Model, "from_pretrained", None)
    cut_out(picture, points=(Point(50, 40),), model=sam2)


# -- words -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unsure")
def test_words_become_the_box_that_sam_2_is_given(sam2: str, finder: str, picture, seen) -> None:
    cut_out(picture, words=" A red.  MUG ", finder=finder, model=sam2)
    inputs = seen["GroundingDinoForObjectDetection"]
    said = [pretrained.WORDS[token] for token in inputs["input_ids"][0].tolist()]
    assert said == ["[CLS]", "a", "red", "mug", ".", "[SEP]"]
    box = text_detection.find(np.asarray(picture), "a red mug", Path(finder))
    corners = [round(box.x), round(box.y), round(box.x + box.w), round(box.y + box.h)]
    stretched = [x * s for x, s in zip(corners, [64 / 128, 64 / 96] * 2, strict=True)]
    assert seen["Sam2Model"]["input_boxes"].flatten().tolist() == pytest.approx(stretched)


@pytest.mark.usefixtures("unsure")
def test_other_words_find_another_place(finder: str, picture) -> None:
    pixels = np.asarray(picture)
    found = [
        text_detection.find(pixels, words, Path(finder)) for words in ("a red mug", "a blue cat")
    ]
    assert found[0] != found[1]


@pytest.mark.usefixtures("unsure")
def test_a_box_narrows_down_where_words_are_looked_for(finder: str, picture) -> None:
    pixels = np.asarray(picture)
    best = text_detection.find(pixels, "a mug", Path(finder))
    centre = best.x + best.w / 2, best.y + best.h / 2
    half = Rect(0, 0, 64, 96) if centre[0] >= 64 else Rect(64, 0, 64, 96)
    other = text_detection.find(pixels, "a mug", Path(finder), half)
    assert other != best
    assert half.x <= other.x + other.w / 2 <= half.x + half.w


def test_without_a_model_grabcut_cuts_where_the_words_were_found(
    finder: str, picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_detection, "find", lambda *_: Rect(35, 15, 60, 60))
    red = np.asarray(picture)[..., 0] > 150
    mask = cut_out(picture, words="a red mug", finder=finder) >= 128
    assert (mask & red).sum() / (mask | red).sum() > 0.9


def test_words_that_fit_nothing_are_one_clear_error(
    finder: str, picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_detection, "SURE", 1.0)
    for box, said in ((None, "'a mug'."), (Rect(10, 10, 50, 50), "in the box")):
        with pytest.raises(InvalidField, match=said) as caught:
            cut_out(picture, words="a mug", finder=finder, box=box)
        assert caught.value.path == "$.words"
        assert caught.value.fix


# -- what is no such network -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/no/such/folder", "dino", "../dino"])
def test_an_unknown_finder_is_refused_at_once(picture, name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        cut_out(picture, words="a mug", finder=name)
    assert caught.value.path == "$.finder"
    assert text_detection.FINDER in caught.value.fix


def test_a_network_of_the_other_kind_is_refused_by_its_kind(sam2, finder, picture) -> None:
    with pytest.raises(UnknownModel, match="sam2, which finds nothing") as caught:
        cut_out(picture, words="a mug", finder=sam2)
    assert caught.value.path == "$.finder"
    with pytest.raises(UnknownModel, match="grounding-dino, which makes no masks") as caught:
        cut_out(picture, model=finder)
    assert caught.value.path == "$.model"


def test_code_that_comes_with_a_model_is_never_run(picture, tmp_path: Path) -> None:
    config = {"model_type": "SegformerForSemanticSegmentation", "auto_map": {"AutoConfig": "a.B"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "a.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(UnknownModel, match="code of its own"):
        cut_out(picture, model=str(tmp_path))


def test_weights_as_pickles_are_never_read(sam2: str, picture, tmp_path: Path) -> None:
    model = transformers.Sam2Model.from_pretrained(sam2)
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UnknownModel, match="cannot be loaded"):
        cut_out(picture, model=str(tmp_path))


def test_what_needs_torchvision_says_how_to_get_it(sam2: str, picture, tmp_path: Path) -> None:
    """EdgeTAM's preparation is SAM 2's, which transformers has for torchvision only."""
    if networks.find_spec("torchvision") is not None:
        pytest.skip("torchvision is installed")
    config = json.loads((Path(sam2) / "config.json").read_text())
    model = transformers.Sam2Model.from_pretrained(sam2)
    model.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "edgetam"}))
    processor = {"processor_class": "Sam2Processor", "image_processor_type": "Sam2ImageProcessor"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    with pytest.raises(MissingDependency) as caught:
        cut_out(picture, model=str(tmp_path))
    assert "standee[masks]" in caught.value.fix
