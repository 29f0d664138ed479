"""Cut-outs by mask generation models: what reaches the model, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from standee import Rect
from standee.errors import UnknownModel
from standee.wire.messages import Point
from standee_backend.engine.cutout.cutout import cut_out

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


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
