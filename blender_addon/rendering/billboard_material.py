"""Billboard materials: the picture's own colours, an alpha, and a shadow of the same outline.

The camera and sharp mirrors see the picture as it is, unlit; for all other light it is a matt surface
of about its colours, so it does not glow. Cycles and EEVEE read the same nodes.
"""

import bpy
import numpy as np

from ..core import png
from ..i18n.translations import say
from ..scene import image_datablocks
from ..scene.layer_properties import StandeeLayer
from .shown_colours import fit_colours, is_space

SPACES = {
    "AgX": "AgX Base sRGB",
    "Filmic": "Filmic sRGB",
    "Khronos PBR Neutral": "Khronos PBR Neutral sRGB",
    "Raw": "Non-Color",
}
"""The colour space in which a view transform shows a picture as it is; of others sRGB."""
GLOW = "Standee light"
"""The name of the node that undoes the scene's exposure."""
PICTURE, FITTED = "Standee picture", "Standee fitted to "
"""The names of the nodes with the picture, and with it as a view transform needs it."""
OFF = "standee_off_"
"""What the properties are called that say how far a view transform shows the picture's colours off."""
BUT = 0.995
"""The part of the picture whose colours are no further off."""
SEEN = 3
"""Of 255: what is further off is said."""


def picture_of(layer: StandeeLayer, part: tuple[float, float]) -> bpy.types.Image:
    """Return a new image of what a layer shows: its picture, cut out.

    `part` is how much of its width and height is shown, around the middle. Raises `BadPicture`, `TooLarge`.
    """
    pixels = image_datablocks.pixels_of(layer.picture).copy()
    if layer.mask is not None:
        mask = image_datablocks.mask_of(layer.mask)
        height, width = pixels.shape[:2]
        rows = (np.arange(height) * mask.shape[0]) // height
        cols = (np.arange(width) * mask.shape[1]) // width
        pixels[..., 3] = mask[rows[:, None], cols[None]]
    edges = [
        round(side * (1 - one) / 2) for side, one in zip(pixels.shape, part[::-1], strict=False)
    ]
    top, left = (
        min(edge, (side - 1) // 2) for edge, side in zip(edges, pixels.shape, strict=False)
    )
    pixels = pixels[top : len(pixels) - top, left : pixels.shape[1] - left]
    image = image_datablocks.new_image(f"{layer.name} standee", png.encode(pixels))
    del image["standee_digest"]  # its colour space is its own, so it stands for no other
    return image


def new_material(name: str, image: bpy.types.Image) -> bpy.types.Material:
    """Return a new material that shows an image."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5.0
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    def node(kind: str, x: float, y: float = 0.0, **values: object) -> bpy.types.Node:
        made = tree.nodes.new(kind)
        made.location = (x, y)
        for key, value in values.items():
            setattr(made, key, value)
        return made

    texture = node("ShaderNodeTexImage", -900, image=image, extension="CLIP", name=PICTURE)
    path = node("ShaderNodeLightPath", -450, 500)
    seen = node("ShaderNodeMath", -200, 500, operation="MAXIMUM")
    glow = node("ShaderNodeEmission", -200, 150, name=GLOW, label=GLOW)
    more = node("ShaderNodeVectorMath", -600, -100, operation="ADD")
    more.inputs[1].default_value = (1.0, 1.0, 1.0)
    dim = node("ShaderNodeVectorMath", -400, -100, operation="DIVIDE")
    matt = node("ShaderNodeBsdfDiffuse", -200, -50)
    clear = node("ShaderNodeBsdfTransparent", 0, 200)
    surface, shape = node("ShaderNodeMixShader", 0), node("ShaderNodeMixShader", 200)
    output = node("ShaderNodeOutputMaterial", 400)
    for start, end in (
        (path.outputs["Is Camera Ray"], seen.inputs[0]),
        (path.outputs["Is Singular Ray"], seen.inputs[1]),
        (texture.outputs["Color"], glow.inputs["Color"]),
        (texture.outputs["Color"], more.inputs[0]),
        (texture.outputs["Color"], dim.inputs[0]),
        (more.outputs[0], dim.inputs[1]),
        (dim.outputs[0], matt.inputs["Color"]),  # c / (1 + c): it gives back less than it gets
        (seen.outputs[0], surface.inputs[0]),
        (matt.outputs[0], surface.inputs[1]),
        (glow.outputs[0], surface.inputs[2]),
        (texture.outputs["Alpha"], shape.inputs[0]),
        (clear.outputs[0], shape.inputs[1]),
        (surface.outputs[0], shape.inputs[2]),
        (shape.outputs[0], output.inputs["Surface"]),
    ):
        tree.links.new(start, end)
    for row, (transform, space) in enumerate(SPACES.items()):
        fitted = _fit(material, image, transform, space)
        if fitted is not None:
            fitted.colorspace_settings.name = space
            values = {"image": fitted, "extension": "CLIP", "name": FITTED + transform}
            node("ShaderNodeTexImage", -900, -300 * (row + 1), label=transform, **values)
    material.surface_render_method = "DITHERED"
    material.use_transparent_shadow = True
    if hasattr(material, "cycles"):
        material.cycles.emission_sampling = "NONE"  # it lights nothing
    return material


def keep_colours(material: bpy.types.Material, scene: bpy.types.Scene) -> None:
    """Have a material's picture look as it is in a scene's view transform and exposure.

    A look, curves or another gamma still change it; what a transform cannot show is the nearest it can.
    """
    tree, view = material.node_tree, scene.view_settings
    space, strength = SPACES.get(view.view_transform, "sRGB"), 2.0**-view.exposure
    space = space if is_space(space) else "sRGB"
    for node in tree.nodes:
        if node.bl_idname != "ShaderNodeTexImage" or node.name.startswith(FITTED):
            continue
        if node.image is not None and node.image.colorspace_settings.name != space:
            node.image.colorspace_settings.name = space
    own = tree.nodes.get(PICTURE)
    if own is not None:
        _show(tree, tree.nodes.get(FITTED + view.view_transform) or own)
    glow = tree.nodes.get(GLOW)
    if glow is not None and abs(glow.inputs["Strength"].default_value - strength) > 1e-6:
        glow.inputs["Strength"].default_value = strength


def off_by(material: bpy.types.Material, scene: bpy.types.Scene) -> int:
    """Return how far off a scene's view transform shows the colours of a material's picture, of 255."""
    return int(material.get(OFF + scene.view_settings.view_transform, 0))


def explain_colours(off: int, scene: bpy.types.Scene) -> str:
    """Return the sentence that says so, and the way out."""
    return say(
        "{view} cannot show all of its colours: renders have them up to {off} of 255 off."
        " The view transform Standard shows them all.",
        view=scene.view_settings.view_transform,
        off=off,
    )


def _show(tree: bpy.types.NodeTree, wanted: bpy.types.Node) -> None:
    """Have a material take its colours from this one of its pictures."""
    for node in tree.nodes:
        if node != wanted and (node.name == PICTURE or node.name.startswith(FITTED)):
            for link in list(node.outputs["Color"].links):
                tree.links.new(wanted.outputs["Color"], link.to_socket)


def _fit(
    material: bpy.types.Material, image: bpy.types.Image, transform: str, space: str
) -> bpy.types.Image | None:
    """Return an image as a view transform needs it to show the nearest to it; `None` if as it is.

    The material keeps how far that is off, but for a few of its pixels.
    """
    pixels = image_datablocks.pixels_of(image)
    solid = pixels[..., 3] > 0
    bytes_of = np.rint(pixels[solid][:, :3] * 255).astype(np.uint32)
    codes = (bytes_of[:, 0] << 16) | (bytes_of[:, 1] << 8) | bytes_of[:, 2]
    unique, places = np.unique(codes, return_inverse=True)
    if not len(unique):
        return None
    colours = np.stack([(unique >> shift) & 255 for shift in (16, 8, 0)], axis=1)
    wanted = (colours / 255).astype(np.float32)
    try:
        fitted = fit_colours(wanted, transform, space)
    except TypeError:  # a studio's own colour management, without this one
        return None
    material[OFF + transform] = round(float(np.quantile(fitted.off[places], BUT)) * 255)
    if np.abs(fitted.colours - wanted).max() < 0.5 / 255:
        return None
    out = pixels.copy()
    out[solid, :3] = fitted.colours[places]
    made = image_datablocks.new_image(f"{image.name} {transform}", png.encode(out))
    del made["standee_digest"]
    return made
