"""Screen colour profile: used for display, not for what goes to the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColorSpace

from standee_desktop.services.image_cache import make_look
from standee_desktop.services.screen_profile import SCREEN, take_file
from support.desktop.person import Person


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[Path]:
    """The ICC file of a screen whose green is greener than that of sRGB."""
    path = tmp_path / "wide.icc"
    path.write_bytes(QColorSpace(QColorSpace.NamedColorSpace.AdobeRgb).iccProfile().data())
    yield path
    SCREEN.use(None)


def shown(person: Person) -> tuple[int, int, int]:
    """Return the colour of the middle of the canvas."""
    seen = person.canvas.grab().toImage().pixelColor(person.spot(128, 128))
    return seen.red(), seen.green(), seen.blue()


def green(person: Person, settle) -> None:  # type: ignore[no-untyped-def]
    """Put something green onto the canvas."""
    digest = person.document.document.add_picture(person._picture((64, 64), "#00c800"))
    from standee_desktop.model import edits

    layer = edits.Layer(edits.Rect(64, 64, 128, 128), digest, id="green")
    person.document.apply("Add", edits.added(person.document.composition, [layer]))
    settle(lambda: shown(person)[1] > 150)


def test_a_profile_that_is_chosen_changes_what_is_painted_and_no_more(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, wide: Path
) -> None:
    green(person, settle)
    assert shown(person) == (0, 200, 0)
    before = person.document.composition
    assembly.colours.take(wide)
    settle(lambda: shown(person)[0] > 90)  # sRGB's green lies within: it needs some red there
    assert person.document.composition == before
    assert person.window.action("screen-profile").isChecked()
    person.chooses("screen-profile")
    settle(lambda: shown(person) == (0, 200, 0))
    assert not person.window.action("screen-profile").isChecked()


def test_the_next_start_has_the_profile_of_the_last(app, wide: Path, assembly) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.screen_colours import PROFILE
    from standee_desktop.storage.settings import settings

    assembly.colours.take(wide)
    assert settings().value(PROFILE) == str(wide)


def test_what_is_no_profile_says_so(person: Person, assembly, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "no.icc").write_bytes(b"nothing of the kind")
    assembly.colours.take(tmp_path / "no.icc")
    [notice] = assembly.notices
    assert notice.text == "no.icc is not the colour profile of a screen."
    assert not person.window.action("screen-profile").isChecked()


def test_a_stroke_of_the_brush_leaves_the_colours(picture, wide: Path) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.model.mask_strokes import encode_mask
    from standee_desktop.services.image_cache import with_mask

    take_file(wide)
    look = make_look(picture((64, 64), "#00c800"))
    again = with_mask(look, encode_mask(look.matte))
    before, after = (one.image.pixelColor(32, 32) for one in (look, again))
    assert before.red() > 90
    assert abs(before.red() - after.red()) <= 1
    assert abs(before.green() - after.green()) <= 1
