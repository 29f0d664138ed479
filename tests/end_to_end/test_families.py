"""Jobs on other model families, through a real daemon: models named by their folders."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene


def disc(side=64):
    picture = Image.new("RGBA", (side, side), (255, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((0, 0, side - 1, side - 1), fill="red")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "kind",
    ["klein", "z-image-turbo", "qwen-image", "qwen-edit", "kontext", "flux2-dev", "krea2-turbo"],
)
def test_a_subject_stands_in_a_kept_scene(studio, tiny_model, kind) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    scene = io.BytesIO()
    Image.fromarray(pixels).save(scene, "PNG")
    with studio.client() as client:
        composition = Composition(
            canvas=Canvas(128, 96),
            prompt="a cat",
            layers=(Layer(picture=client.put_blob(disc()), rect=Rect(32, 16, 64, 64)),),
            scene=Scene(picture=client.put_blob(scene.getvalue()), blend=8 / 96),
            sampling=Sampling(model=str(tiny_model(kind)), count=2, steps=4),
        )
        first, second = client.compose(composition)
    made, other = (
        np.asarray(Image.open(io.BytesIO(x.data)).convert("RGB")) for x in (first, second)
    )
    assert (made[:, :16] == pixels[:, :16]).all(), "kept pixels changed"
    assert (made[40:56, 56:72] != pixels[40:56, 56:72]).any(), "the subject does not show"
    assert (made != other).any()
    assert first.receipt["model"]["path"] == str(tiny_model(kind))
