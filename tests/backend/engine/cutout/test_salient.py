"""What stands out: networks in ONNX files, how they are shown pictures, and what is no such network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from standee.errors import JobCancelled, UnknownModel
from standee_backend.engine.cutout import salient
from support.networks.salient import save_salient


@pytest.fixture
def pixels() -> np.ndarray:
    """A red disc on green, 96 x 64 px."""
    picture = Image.new("RGB", (96, 64), (40, 140, 40))
    ImageDraw.Draw(picture).ellipse((16, 16, 47, 47), fill=(220, 30, 30))
    return np.asarray(picture)


def test_a_networks_matte_has_the_size_of_the_picture(pixels, tmp_path: Path) -> None:
    share = salient.find_subject(pixels, save_salient(tmp_path / "u2net.onnx"), device="cpu")
    assert share.shape == (64, 96)
    assert share[32, 32] > 0.99
    assert share[5, 80] < 0.01


def test_what_comes_before_its_sigmoid_is_put_through_one(pixels, tmp_path: Path) -> None:
    plain = salient.find_subject(pixels, save_salient(tmp_path / "a.onnx"), device="cpu")
    file = save_salient(tmp_path / "b.onnx", sigmoid=False)
    assert np.allclose(salient.find_subject(pixels, file, device="cpu"), plain, atol=1e-4)


def test_a_network_that_takes_any_size_is_run(pixels, tmp_path: Path) -> None:
    file = save_salient(tmp_path / "any.onnx", side=None)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1], "size": {"height": 48, "width": 48}}'
    )
    share = salient.find_subject(pixels, file, device="cpu")
    assert share[32, 32] > 0.9
    assert salient._load(file, file.stat().st_mtime_ns, "cpu").size == (48, 48)


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("isnet.onnx", None, 0.0),
        ("u2net.onnx", None, (0.5 - 0.485) / 0.229),
        ("isnet.onnx", '{"image_mean": [0.4, 0.4, 0.4], "image_std": [0.2, 0.2, 0.2]}', 0.5),
    ],
)
def test_colours_are_put_as_the_network_wants_them(
    tmp_path: Path, name: str, told: str | None, expected: float
) -> None:
    """The first channel comes out as it was put in: logits of the grey 0.5."""
    if told:
        (tmp_path / "preprocessor_config.json").write_text(told)
    file = save_salient(tmp_path / name, weights=(1.0, 0.0, 0.0), level=-9.0, sigmoid=False)
    grey = np.full((40, 40, 3), 127.5, np.float32).astype(np.uint8)
    share = salient.find_subject(grey, file, device="cpu")
    logit = np.log(share / (1 - share))
    assert np.allclose(logit, expected - 9, atol=0.02)


def test_with_a_box_the_network_is_shown_what_is_in_it(tmp_path: Path) -> None:
    picture = Image.new("RGB", (120, 80), (220, 30, 30))
    share = salient.find_subject(
        np.asarray(picture), save_salient(tmp_path / "n.onnx"), (40, 20, 80, 60), "cpu"
    )
    assert share[40, 60] > 0.9
    assert not share[:, :30].any()
    assert not share[:10].any()


def test_a_picture_that_was_seen_is_not_run_again(pixels, tmp_path: Path, monkeypatch) -> None:
    file = save_salient(tmp_path / "n.onnx")
    first = salient.find_subject(pixels, file, device="cpu")
    monkeypatch.setattr(salient, "_run", None)
    assert np.array_equal(salient.find_subject(pixels, file, device="cpu"), first)


def test_a_network_that_runs_is_stopped_by_a_cancellation(
    pixels, tmp_path: Path, monkeypatch
) -> None:
    def cancel() -> None:
        raise JobCancelled("The job was cancelled.")

    monkeypatch.setattr(salient, "LOOK_UP", 0.0)  # before it can be done
    file = save_salient(tmp_path / "n.onnx", side=512)
    with pytest.raises(JobCancelled):
        salient.find_subject(pixels, file, None, "cpu", cancel)


def _text(file: Path) -> Path:
    file.write_text("no network")
    return file


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_text, "cannot be loaded"),
        (lambda file: save_salient(file, channels=4), "4 x 32 x 32"),
    ],
)
def test_what_is_no_such_network_is_one_clear_error(pixels, tmp_path: Path, make, why) -> None:
    with pytest.raises(UnknownModel, match=why) as caught:
        salient.find_subject(pixels, make(tmp_path / "n.onnx"), device="cpu")
    assert caught.value.path == "$.model"
    assert "ISNet" in caught.value.fix
