"""Words about files with layers: what does not come in, and what is not in one that was written."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from standee.layered.raster_layers import LayeredPicture

MOST_NAMES = 8
"""How many layers a notice names."""


def lost_in_layers(picture: LayeredPicture) -> str:
    """Return what of a file with layers does not come in, in words; nothing where all of it does."""
    translate, said = QCoreApplication.translate, []
    if picture.left_out:
        text = translate("Importer", "Layers without pixels, left out: %1.")
        said.append(text.replace("%1", _named(picture.left_out)))
    if picture.plain:
        text = translate("Importer", "Without their blend modes, masks or effects: %1.")
        said.append(text.replace("%1", _named(picture.plain)))
    return " ".join(said)


def missing_in_layers(picture: LayeredPicture) -> str:
    """Return what is not in a file with layers that was written, in words; nothing where all is in it."""
    translate, said = QCoreApplication.translate, []
    if picture.left_out:
        text = translate("DocumentFiles", "Without pixels, and not in it: %1.")
        said.append(text.replace("%1", _named(picture.left_out)))
    said.append(
        {
            "told": "",
            "none": translate("DocumentFiles", "No layer of shadows: the result has none."),
            "unlike": translate(
                "DocumentFiles",
                "No layer of shadows: the result shows another place than the scene.",
            ),
            "no scene": translate(
                "DocumentFiles",
                "No layer of shadows: that takes a scene to compare the result with.",
            ),
        }[picture.shadows]
    )
    return " ".join(filter(None, said))


def _named(names: Sequence[str]) -> str:
    """Return the first of the names, which may be many and long."""
    shown = ", ".join(name[:40] or "–" for name in names[:MOST_NAMES])
    return shown + (", …" if len(names) > MOST_NAMES else "")
