"""Reference renders: what F12 shows."""

import bpy
import numpy as np


def as_rendered(path, transparent=False):
    """What F12 shows, as (h, w, 4): the whole frame, as the scene looks, without words in it."""
    scene = bpy.context.scene
    render, settings = scene.render, scene.render.image_settings
    saved = (render.use_border, render.use_stamp, settings.color_management, render.filepath)
    render.use_border = render.use_stamp = False
    settings.color_management = "FOLLOW_SCENE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    render.filepath, render.film_transparent = str(path), transparent
    bpy.ops.render.render(write_still=True)
    render.film_transparent = False
    render.use_border, render.use_stamp, settings.color_management, render.filepath = saved
    image = bpy.data.images.load(str(path), check_existing=False)
    width, height = image.size
    pixels = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[::-1]
    bpy.data.images.remove(image)
    return pixels
