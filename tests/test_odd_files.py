"""The same file is the same pixels to the engine and to the editor, or the same sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from standee import pictures
from standee.document.document import Document
from standee.errors import BadPicture, TooLarge
from standee.image_metadata import orientation_of
from standee.images import as_mask, upright
from standee_cli.main import main as standee
from support import odd_files

pytest.importorskip("PySide6")
from standee_desktop.services.image_cache import make_look
from standee_desktop.storage.image_import import open_picture, read_picture

engine = pytest.importorskip("standee_backend.engine.pixels.images", exc_type=ImportError)

CASES = odd_files.cases()


def read_by_all(data: bytes, tmp_path: Path, name: str) -> list[np.ndarray]:
    """The pixels of a file to the engine, to the editor that shows it, and to the engine from there."""
    (tmp_path / name).write_bytes(data)
    with Document() as document:  # what the command line hands in
        given = document.read(document.add_picture(tmp_path / name))
    imported = read_picture(tmp_path / name)
    images = [
        engine.decode(given, "$.picture"),
        open_picture(imported.data),
        engine.decode(imported.data, "$.picture"),
    ]
    assert {image.mode for image in images} <= {"RGB", "RGBA"}
    return [np.asarray(image, np.int16) for image in images]


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_the_same_right_pixels_everywhere(name: str, tmp_path: Path) -> None:
    make, expected, off = CASES[name]
    found = read_by_all(make(), tmp_path, name)
    for pixels in found:
        assert pixels.shape == expected.shape
        assert np.abs(pixels - expected).max() <= off
        assert (pixels == found[0]).all()


@pytest.mark.parametrize(("name", "data", "words"), list(odd_files.refused()))
def test_what_cannot_be_read_is_said_in_the_same_words_everywhere(
    name: str, data: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadPicture, match=words) as in_the_engine:
        engine.decode(data, "$.layers[0].picture")
    assert in_the_engine.value.path == "$.layers[0].picture"
    with pytest.raises(BadPicture, match=words) as in_the_editor:
        read_picture(tmp_path / name)
    assert name in in_the_editor.value.message
    for error in (in_the_engine.value, in_the_editor.value):
        assert error.fix
        assert error.message.count(".") - error.message.count(name) * name.count(".") == 1


@pytest.mark.parametrize("role", ["picture", "mask", "scene"])
@pytest.mark.parametrize("name", ["empty.png", "page.png", "drawing.eps", "scan.jp2", "render.exr"])
def test_the_command_line_refuses_it_before_any_daemon_is_asked(
    name: str, role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, words = next((data, words) for one, data, words in odd_files.refused() if one == name)
    (tmp_path / name).write_bytes(data)
    (tmp_path / "plain.png").write_bytes(odd_files.encoded(Image.fromarray(odd_files.ramp())))
    layer = {"picture": "plain.png", "rect": {"x": 0, "y": 0, "w": 64, "h": 64}}
    composition = (
        {"scene": {"picture": name}} if role == "scene" else {"layers": [layer | {role: name}]}
    )
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(composition))
    assert standee(["compose", str(path), "--json", "-o", str(tmp_path / "out.png")]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "bad-picture"
    assert words in error["message"]
    assert name in error["message"]
    assert error["fix"]


@pytest.mark.parametrize("name", ["page.png", "drawing.eps", "scan.jp2", "render.exr"])
def test_a_document_takes_no_file_that_the_engine_would_refuse(name: str) -> None:
    data = next(data for one, data, _ in odd_files.refused() if one == name)
    with Document() as document, pytest.raises(BadPicture):
        document.add_picture(data)


@pytest.mark.parametrize("size", [(16_320, 12_240), (20_000, 10_000), (40_000, 40_000)])
def test_a_picture_that_is_too_large_is_called_so_before_it_is_decoded(
    size: tuple[int, int],
) -> None:
    data = odd_files.vast_png(8, 8)
    head = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + data[24:29]
    data = data[:8] + odd_files.chunk(b"IHDR", head) + data[33:]
    with pytest.raises(TooLarge, match=f"{size[0]} x {size[1]} px") as caught:
        engine.decode(data, "$.scene.picture")
    assert caught.value.path == "$.scene.picture"
    assert "64,000,000" in caught.value.fix


@pytest.mark.parametrize(("name", "data", "means"), list(odd_files.masks()))
def test_a_mask_is_read_by_its_content_whatever_its_mode(
    name: str, data: bytes, means: np.ndarray
) -> None:
    image = engine.decode(data, "$.mask")
    np.testing.assert_array_equal(pictures.mask_of(image), means)
    picture = odd_files.encoded(Image.new("RGB", image.size, "red"))
    np.testing.assert_array_equal(make_look(picture, data).matte, means)
    rgba = np.asarray(image.convert("RGBA"), np.float32) / 255
    said = as_mask(rgba[..., :3] @ np.float32([0.299, 0.587, 0.114]), rgba[..., 3])
    np.testing.assert_allclose(said, means / 255, atol=1e-6)


def test_a_soft_mask_keeps_its_values() -> None:
    soft = np.array([[0, 40, 128, 200]], np.uint8)
    assert (np.asarray(pictures.mask_of(Image.fromarray(soft))) == soft).all()
    np.testing.assert_allclose(as_mask(soft, None), soft / 255)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_faces_without_pillow_turn_pictures_alike(form: str, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    image = Image.fromarray(odd_files.ramp())
    options = {"lossless": True} if form == "WEBP" else {}
    data = odd_files.encoded(image, form, exif=exif, **options)
    assert orientation_of(data) == turn
    plain = np.asarray(engine.decode(odd_files.encoded(image, form, **options), ""))
    assert (np.asarray(engine.decode(data, "")) == upright(plain, turn)).all()


def test_a_profile_of_printers_is_converted() -> None:
    lab = ImageCms.createProfile("LAB")
    data = odd_files.encoded(
        Image.new("LAB", (4, 4), (128, 128, 128)),
        "TIFF",
        icc_profile=ImageCms.ImageCmsProfile(lab).tobytes(),
    )
    grey = np.asarray(engine.decode(data, ""))
    assert np.abs(grey.astype(int) - 119).max() <= 2  # L* 50 in sRGB


def test_results_say_that_they_are_srgb() -> None:
    png = engine.encode_png(odd_files.ramp())
    assert b"sRGB" in png[:64]
    assert (np.asarray(engine.decode(png, "")) == odd_files.ramp()).all()
