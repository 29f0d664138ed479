"""View transforms of Blender, tried out on pictures of colours, and inverted."""

import tempfile
from functools import cache
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core.rendering import exr
from ..core.rendering.view_gamut import Fitted, fit, nearest_table
from ..scene import image_datablocks
from ..scene.render_scene import NAME

WIDTH = 256
"""Px of a row of the pictures that colours are tried out in."""

Colours = NDArray[np.float32]


def fit_colours(colours: Colours, transform: str, space: str) -> Fitted:
    """Return what a picture in the colour space `space` has to have for a view transform to show colours.

    They are sRGB (n, 3), 0..1; what the transform cannot show at all comes out as the nearest. Raises
    `TypeError` where Blender does not have these.
    """
    return fit(
        colours, lambda some: _shown(some, transform, space), lambda: _table(transform, space)
    )


def is_space(name: str) -> bool:
    """Whether this Blender's colour management has a colour space."""
    spaces = bpy.types.ColorManagedInputColorspaceSettings.bl_rna.properties["name"].enum_items
    return name in spaces


@cache
def _table(transform: str, space: str) -> Colours:
    return nearest_table(lambda some: _shown(some, transform, space))


def _shown(colours: Colours, transform: str, space: str) -> Colours:
    """Return what is seen of colours (n, 3) of a picture in a colour space; sRGB, to 1 of 255."""
    rows = -(-len(colours) // WIDTH)
    pixels = np.zeros((rows * WIDTH, 3), np.float32)
    pixels[: len(colours)] = colours
    pixels = pixels.reshape(rows, WIDTH, 3)
    # As floats: Blender 4 shows bytes as they are, whatever their space.
    data = exr.write({name: pixels[..., at] for at, name in enumerate("RGB")})
    scene, image = bpy.data.scenes.new(NAME), bpy.data.images.new(NAME, 1, 1)
    try:
        image.pack(data=data, data_len=len(data))
        image.source, image.colorspace_settings.name = "FILE", space
        scene.view_settings.view_transform, scene.render.dither_intensity = transform, 0.0
        settings = scene.render.image_settings
        if hasattr(settings, "media_type"):  # Blender 5.0
            settings.media_type = "IMAGE"
        settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
        settings.compression = 0
        with tempfile.TemporaryDirectory(prefix="standee-") as folder:
            path = Path(folder) / "shown.png"
            image.save_render(str(path), scene=scene)
            shown = image_datablocks.decode_pixels(path.read_bytes())
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.images.remove(image)
    return shown.reshape(-1, 4)[: len(colours), :3]
