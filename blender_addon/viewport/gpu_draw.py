"""GPU drawing of the overlay: textured quads, triangles and words. No decisions are made here."""

from typing import Any

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

from standee.composition import Rect

from ..core.overlay import PictureQuad, Words
from ..core.projection import Frame
from ..core.triangles import Triangles
from ..scene.scene_properties import StandeeScene
from . import view_state
from .layer_cache import layer_cache

FONT = 0
"""Blender's own."""

_textures: dict[str, tuple[Any, gpu.types.GPUTexture]] = {}
_handler: Any = None


def draw() -> None:
    """Draw the overlay in the region that Blender is drawing."""
    context = bpy.context
    if not view_state.uses_scene_camera(context.space_data, context.scene):
        return
    found = view_state.draw_data(context.scene, context.region, context.region_data)
    if found is not None:
        paint(context.scene, found)


def paint(scene: bpy.types.Scene, drawn: view_state.DrawData) -> None:
    """Draw into whatever is bound; the matrices are those of region px."""
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")  # whatever was drawn before
    gpu.state.face_culling_set("NONE")
    gpu.state.color_mask_set(True, True, True, True)
    job = view_state.job_of(scene.standee)
    if job is not None and job.preview is not None and scene.standee.show_preview:
        frame = drawn.frame
        texture = _texture("preview", id(job.preview), job.preview)
        _picture(texture, PictureQuad("", frame.box(_whole(frame)), 1.0).corners, 1.0, False)
    else:
        for quad in drawn.overlay.pictures:
            _layer(scene, drawn, quad)
        if drawn.result is not None:
            _result(scene.standee, drawn)
    _triangles(drawn.overlay.cells)
    _triangles(drawn.overlay.lines)
    _triangles(_chips(drawn.overlay.words))
    for words in drawn.overlay.words:
        _words(words)
    gpu.state.blend_set("NONE")
    for gone in set(_textures) - set(drawn.seen) - {"preview"}:
        del _textures[gone]


def register() -> None:
    """Draw in every 3D view."""
    global _handler
    space = bpy.types.SpaceView3D
    if not bpy.app.background:
        _handler = space.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Draw no more, and give the textures back."""
    global _handler
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
        _handler = None
    _textures.clear()


def forget() -> None:
    """Give the textures back: another file is open."""
    _textures.clear()


def _layer(scene: bpy.types.Scene, drawn: view_state.DrawData, quad: PictureQuad) -> None:
    seen = drawn.seen[quad.id]
    layer = next(one for one in scene.standee.layers if one.layer_id == quad.id)
    hidden = layer_cache().hidden(layer)
    key: tuple[Any, ...] = seen.key
    pixels = seen.pixels
    if hidden is not None and hidden[1].any():
        key = (*seen.key, id(hidden[1]), layer.rect, layer.rotation)
        if _textures.get(quad.id, (None,))[0] != key:
            alpha = layer_cache().alpha(layer, seen)
            pixels = pixels.copy()
            rows = np.arange(pixels.shape[0]) * alpha.shape[0] // pixels.shape[0]
            cols = np.arange(pixels.shape[1]) * alpha.shape[1] // pixels.shape[1]
            pixels[..., 3] = np.minimum(pixels[..., 3], alpha[rows[:, None], cols[None]])
    _picture(_texture(quad.id, key, pixels), quad.corners, quad.opacity, quad.flip)


def _result(standee: StandeeScene, drawn: view_state.DrawData) -> None:
    """Draw the result over all that is in the frame, as far as it is wiped in."""
    frame, part = drawn.frame, standee.result_wipe
    left, bottom, right, top = frame.box(_whole(frame))
    end = left + (right - left) * part
    if end <= left:
        return
    texture = gpu.texture.from_image(drawn.result)  # Blender's own: linear light
    shown = PictureQuad("", (left, bottom, end, top), standee.result_opacity)
    _picture(texture, shown.corners, shown.opacity, False, part)
    if part < 1.0:
        edge = Triangles()
        edge.quads(np.array([[end - 1.0, bottom, end + 1.0, top]]), (1.0, 1.0, 1.0, 0.8))
        _triangles(edge)


def _texture(name: str, key: Any, pixels: NDArray[np.float32]) -> gpu.types.GPUTexture:
    """Return the texture of some pixels (h, w, 4; the first row on top), made once per key."""
    known = _textures.get(name)
    if known is not None and known[0] == key:
        return known[1]
    height, width = pixels.shape[:2]
    flat = np.ascontiguousarray(pixels[::-1], np.float32).ravel()
    data = gpu.types.Buffer("FLOAT", flat.size, flat)
    texture = gpu.types.GPUTexture((width, height), format="RGBA16F", data=data)
    _textures[name] = (key, texture)
    return texture


def _picture(
    texture: gpu.types.GPUTexture,
    corners: tuple[tuple[float, float], ...],
    opacity: float,
    flip: bool,
    part: float = 1.0,
) -> None:
    """Draw a texture, or the left `part` of it, between corners in region px (see `PictureQuad`)."""
    upper_left, upper_right, lower_right, lower_left = corners
    u0, u1 = (1.0, 0.0) if flip else (0.0, part)
    shader = gpu.shader.from_builtin("IMAGE_COLOR")
    batch = batch_for_shader(
        shader,
        "TRI_STRIP",
        {
            "pos": (lower_left, lower_right, upper_left, upper_right),
            "texCoord": ((u0, 0), (u1, 0), (u0, 1), (u1, 1)),
        },
    )
    shader.bind()
    shader.uniform_sampler("image", texture)
    shader.uniform_float("color", (1.0, 1.0, 1.0, opacity))
    batch.draw(shader)


def _triangles(triangles: Triangles) -> None:
    points = triangles.points
    if not len(points):
        return
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    flat = np.column_stack([points, np.zeros(len(points), np.float32)])  # the shader wants x, y, z
    content = {"pos": np.ascontiguousarray(flat, np.float32), "color": triangles.colours}
    batch = batch_for_shader(shader, "TRIS", content)
    shader.bind()
    batch.draw(shader)


def _chips(words: tuple[Words, ...]) -> Triangles:
    """Return what lies behind the words: only the GPU's font knows how wide they are."""
    out = Triangles()
    for one in words:
        blf.size(FONT, one.size)
        width, _ = blf.dimensions(FONT, one.text)
        side, down, up = 0.35 * one.size, 0.4 * one.size, 1.05 * one.size
        box = (one.x - side, one.y - down, one.x + width + side, one.y + up)
        out.quads(np.array([box]), one.chip)
    return out


def _words(words: Words) -> None:
    blf.size(FONT, words.size)
    blf.color(FONT, *words.colour)
    blf.position(FONT, words.x, words.y, 0)
    blf.draw(FONT, words.text)


def _whole(frame: Frame) -> Rect:
    return Rect(0, 0, frame.canvas.width, frame.canvas.height)
