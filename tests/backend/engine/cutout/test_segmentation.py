"""Cut-outs by mask generation models: what reaches the model, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from standee import Rect
from standee.errors import UnknownModel
from standee.wire.messages import Point
from standee_backend.engine.cutout.cutout import cut_out

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


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
    picture = Image.open(EXAMPLES / "subjects" / "fox.png").convert("RGB")
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
