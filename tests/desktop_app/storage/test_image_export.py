"""Image export: receipts in every format; notices say one thing once."""

import io
from pathlib import Path

import pytest
from PIL import Image

from standee import Composition
from standee.document.receipt import extract
from standee.errors import BadPicture, OutOfMemory, StorageFull
from standee_desktop.model.notices import Notice, Notices
from standee_desktop.storage.image_export import encode_result, export


def png() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


RECEIPT = {"composition": {"prompt": "fox & 狐狸"}, "model": {"fingerprint": "f" * 64}}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
def test_a_receipt_is_read_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"fox{suffix}"
    export(path, png(), RECEIPT)
    assert extract(path.read_bytes()) == RECEIPT
    with Image.open(path) as picture:
        assert picture.size == (40, 30)
        assert b"/trainedAlgorithmicMedia" in picture.info["xmp"]
    export(path, png(), RECEIPT, marked=False)
    with Image.open(path) as picture:
        assert "xmp" not in picture.info


def test_a_png_keeps_the_very_pixels_and_the_command_line_reads_its_receipt() -> None:
    made = png()
    data = encode_result(".png", made, RECEIPT)
    assert Image.open(io.BytesIO(data)).tobytes() == Image.open(io.BytesIO(made)).tobytes()
    assert extract(data) == RECEIPT


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(BadPicture, match=r"does not write \.gif"):
        encode_result(".gif", png(), RECEIPT)


def test_a_later_notice_on_a_topic_takes_the_place_of_the_first() -> None:
    notices = Notices()
    notices.fail(StorageFull("fox.standee was not saved.", fix="Make room."), "save")
    notices.fail(StorageFull("fox.standee was not saved again.", fix="Make room."), "save")
    assert [notice.text for notice in notices] == ["fox.standee was not saved again."]
    notices.clear("save")
    assert not len(notices)


def test_the_button_of_an_error_follows_from_its_code() -> None:
    notices, pressed = Notices(), []
    notices.fail(OutOfMemory("No room."), "job", act=lambda: pressed.append(1))
    [notice] = notices
    assert notice.fix == "retry"
    assert notice.act is not None
    notices.take(notice, notice.act)
    assert pressed == [1]
    assert not len(notices)


def test_a_dismissed_notice_says_so() -> None:
    notices, told = Notices(), []
    notice = notices.show(Notice("Look!", dismissed=lambda: told.append(1)))
    notices.dismiss(notice)
    assert told == [1]


def test_the_bar_never_grows_without_bounds() -> None:
    notices = Notices()
    for number in range(50):
        notices.tell(f"Word {number}", topic=str(Composition().version + number))
    assert len(notices) == Notices.LONGEST
