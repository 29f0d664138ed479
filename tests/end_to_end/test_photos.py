"""Real photographs through the daemon: two overlapping subjects on a scene that is kept."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Layer, Rect, Sampling, Scene
from standee.geometry import arrange, place, token_grid

SIZE = 256


@pytest.fixture
def photos(shared):
    folder = shared / "photos"
    if not folder.is_dir():
        pytest.skip(f"needs the photographs in {folder}")
    return folder


def test_photographs_stand_in_a_photograph(studio, photos, tmp_path) -> None:
    with studio.client() as client:
        bear, cat, mountain = (
            client.put_blob(photos / name)
            for name in ("teddy_bear.jpg", "white_cat.jpg", "mountain.jpg")
        )
        bear_mask, cat_mask = (
            client.put_blob(photos / name) for name in ("teddy_bear_mask.png", "white_cat_mask.png")
        )
        layers = (
            Layer(picture=bear, mask=bear_mask, rect=Rect(30, 90, 130, 150)),
            Layer(picture=cat, mask=cat_mask, rect=Rect(110, 120, 130, 130)),
        )
        composition = Composition(
            canvas=Canvas(SIZE, SIZE),
            prompt="a mountain",
            layers=layers,
            scene=Scene(picture=mountain, blend=16 / 256),
            sampling=Sampling(steps=12),
        )
        [result] = client.compose(composition)
    (tmp_path / "photos.png").write_bytes(result.data)
    made = np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB"), float)
    scene = np.asarray(_scaled(photos / "mountain.jpg"), float)

    masks = [_mask(photos / name) for name in ("teddy_bear_mask.png", "white_cat_mask.png")]
    placements = [place(m, x.rect, x.fit, 16) for m, x in zip(masks, layers, strict=True)]
    owner = arrange(token_grid(composition.canvas, 16), placements).owner
    assert (owner == 0).any()
    assert (owner == 1).any()
    subjects = np.kron(owner >= 0, np.ones((16, 16), bool))
    reach = cv2.dilate(subjects.astype(np.uint8), np.ones((35, 35), np.uint8)) > 0
    assert (made[~reach] == scene[~reach]).all(), "kept pixels changed"
    changed = np.abs(made - scene).max(axis=2) > 24
    assert changed[subjects].mean() > 0.5, "the subjects do not show"


def _scaled(path) -> Image.Image:
    return Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _mask(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), np.float32) / 255
