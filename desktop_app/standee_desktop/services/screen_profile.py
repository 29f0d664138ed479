"""Screen colour profile: converts sRGB pictures to the screen's colours.

Every image that is painted passes `for_screen` once, in the thread that decodes it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QColorSpace, QColorTransform, QImage

from standee.errors import BadPicture


class ScreenProfile:
    """How colours are brought to the screen; without a profile they stay as they are."""

    def __init__(self) -> None:
        self._transform: QColorTransform | None = None

    def use(self, profile: bytes | None) -> None:
        """Take an ICC profile, or none. Raises `ValueError` where it is none of an RGB screen."""
        if profile is None:
            self._transform = None
            return
        space = QColorSpace.fromIccProfile(profile)
        if not space.isValid() or space.colorModel() != QColorSpace.ColorModel.Rgb:
            raise ValueError("not the ICC profile of a screen")
        transform = QColorSpace(QColorSpace.NamedColorSpace.SRgb).transformationToColorSpace(space)
        self._transform = None if transform.isIdentity() else transform

    def for_screen(self, image: QImage) -> QImage:
        """Return an sRGB image in the colours of the screen. For any thread."""
        transform = self._transform
        return image if transform is None else image.colorTransformed(transform)


SCREEN = ScreenProfile()
"""The one that this program paints on."""


def take_file(path: Path | None) -> None:
    """Use the ICC file of a screen, or none. Raises `BadPicture`, which says what is wrong with it."""
    try:
        SCREEN.use(path.read_bytes() if path is not None else None)
    except (OSError, ValueError) as error:
        name = path.name if path is not None else ""
        raise BadPicture(
            f"{name} is not the colour profile of a screen.",
            fix="Choose the ICC file that your screen was measured with.",
        ) from error
