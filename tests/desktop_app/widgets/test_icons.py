"""Icons at the screen's own resolution, in the theme's colours."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon

from standee_desktop.widgets import icons, theme


@pytest.mark.parametrize("name", sorted(icons.SHAPES))
def test_every_icon_has_ink(app, name: str) -> None:  # type: ignore[no-untyped-def]
    image = icons.icon(name).pixmap(QSize(24, 24), 1.0).toImage()
    ink = sum(image.pixelColor(x, y).alpha() > 60 for x in range(24) for y in range(24))
    assert ink > 20


def test_a_fine_screen_gets_more_pixels(app) -> None:  # type: ignore[no-untyped-def]
    pixmap = icons.icon("add").pixmap(QSize(20, 20), 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (40, 2.0)


def test_a_checked_icon_has_the_accent(app) -> None:  # type: ignore[no-untyped-def]
    on = icons.icon("add").pixmap(QSize(24, 24), 1.0, QIcon.Mode.Normal, QIcon.State.On).toImage()
    assert on.pixelColor(12, 12).name() == theme.current().accent


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(colours: theme.Theme) -> None:
    def light(name: str) -> float:
        text = getattr(colours, name)
        parts = [int(text[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        high, low = sorted((light(a), light(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    pairs = [
        (text, ground) for text in ("text", "muted") for ground in ("window", "panel", "field")
    ]
    pairs += [
        ("on_accent", "accent"),
        ("text", "selected"),
        ("danger", "panel"),
        ("warning", "panel"),
    ]
    weak = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5}
    assert weak == {}
