"""Standee operators: a subject becomes an object in 3D, and what is an object or asset a subject."""

from collections.abc import Iterable

import bpy

from standee.errors import BadPicture, InvalidField, StandeeError

from ..i18n.translations import say
from ..redraw import redraw
from ..rendering import billboard_material, billboards
from ..scene import object_binding, render
from .base import NeedsCamera, NeedsLayer, active_layer, poll_fails, refuse
from .subjects import add_picture_of, add_subject


class STANDEE_OT_stand_in_3d(bpy.types.Operator):
    bl_idname = "standee.stand_in_3d"
    bl_label = "Stand in 3D"
    bl_description = (
        "Make an object of the active subject: a card on the ground, just where the camera sees it,"
        " which faces the camera and casts its shadow. The subject follows it"
    )
    bl_options = {"REGISTER", "UNDO"}

    upright: bpy.props.BoolProperty(
        name="Upright",
        description="Turn with the camera about the vertical only; off: be parallel to the picture",
        default=True,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsLayer.poll.__func__(cls, context):
            return False
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        layer = active_layer(context)
        if layer.bound:
            return poll_fails(cls, "The active subject follows something already")
        if layer.picture is None:
            return poll_fails(cls, "The active subject has no picture")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, layer = context.scene, active_layer(context)
        try:
            body, grounded = billboards.stand(
                scene, context.evaluated_depsgraph_get(), layer, self.upright
            )
        except StandeeError as error:
            return refuse(self, error)
        for one in context.selected_objects or []:
            one.select_set(False)
        body.select_set(True)
        context.view_layer.objects.active = body
        object_binding.sync(scene, context.evaluated_depsgraph_get())
        if not grounded:
            said = say(
                "The camera sees no ground under it: it hovers as far away as the 3D cursor."
            )
            self.report({"WARNING"}, said)
        off = billboard_material.off_by(body.data.materials[0], scene)
        if off > billboard_material.SEEN:
            self.report({"WARNING"}, billboard_material.explain_colours(off, scene))
        redraw()
        return {"FINISHED"}


class STANDEE_OT_adopt_cards(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.adopt_cards"
    bl_label = "Add Cards as Subjects"
    bl_description = (
        "Make subjects of the selected cards and image empties: copies of a card, and what was dropped"
        " from the Outliner, the Asset Browser or another file. An empty goes, its image stays"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        if not dropped(context):
            return poll_fails(cls, "Select cards that no subject follows yet, or image empties")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _add(self, context, dropped(context))


class STANDEE_OT_add_chosen(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.add_chosen"
    bl_label = "Add as Subjects"
    bl_description = (
        "Make subjects of what is selected in the Outliner: images, cards, image empties, and other objects"
        " as pictures of them"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        chosen = getattr(context, "selected_ids", None) or []
        if not any(isinstance(one, bpy.types.Image | bpy.types.Object) for one in chosen):
            return poll_fails(cls, "Select images or objects in the Outliner")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _add(self, context, context.selected_ids)


class STANDEE_OT_add_asset(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.add_asset"
    bl_label = "Add as Subject"
    bl_description = (
        "Make a subject of an asset: a card, an image, or another object as a picture of it"
    )
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="File", description="The .blend file that has it; empty for this one"
    )
    kind: bpy.props.EnumProperty(
        items=(("OBJECT", "Object", "An object"), ("IMAGE", "Image", "An image")),
        name="Kind",
        description="What the asset is",
    )
    name: bpy.props.StringProperty(name="Name", description="What the asset is called")

    def execute(self, context: bpy.types.Context) -> set[str]:
        home = "objects" if self.kind == "OBJECT" else "images"
        if not self.filepath:
            asset = getattr(bpy.data, home).get(self.name)
        else:
            try:
                with bpy.data.libraries.load(self.filepath, assets_only=True) as (there, here):
                    names = [self.name] if self.name in getattr(there, home) else []
                    setattr(here, home, names)
            except OSError as error:
                return refuse(self, BadPicture(f"{error}.", fix="Check the asset library."))
            asset = next(iter(getattr(here, home)), None)
        if asset is None:
            missing = InvalidField(
                f"There is no asset named {self.name!r}.", fix="Refresh the asset library."
            )
            return refuse(self, missing)
        if self.kind == "OBJECT" and asset.name not in context.scene.objects:
            context.scene.collection.objects.link(asset)
            context.view_layer.update()
        return _add(self, context, [asset])


def dropped(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the selected objects that are pictures and no subject yet: cards, image empties."""
    selected = context.selected_objects or []
    empties = [one for one in selected if billboards.is_image_empty(one)]
    return [*billboards.loose_cards(context.scene, selected), *empties]


def _add(
    operator: bpy.types.Operator, context: bpy.types.Context, chosen: Iterable[bpy.types.ID]
) -> set[str]:
    """Add what was chosen as subjects, or say why it cannot be."""
    added = 0
    for one in list(chosen):
        try:
            added += _add_one(context, one)
        except StandeeError as error:
            return refuse(operator, error)
    if not added:
        nothing = InvalidField(
            "Nothing of that can be a subject.",
            fix="Choose images, cards, image empties, or objects with a surface.",
        )
        return refuse(operator, nothing)
    billboards.attend(context.scene)
    object_binding.sync(context.scene, context.evaluated_depsgraph_get())
    redraw()
    return {"FINISHED"}


def _add_one(context: bpy.types.Context, one: bpy.types.ID) -> bool:
    """Add a subject of an image or an object; false if it can be none."""
    scene = context.scene
    if isinstance(one, bpy.types.Image):
        add_subject(context, one)
        return True
    if not isinstance(one, bpy.types.Object):
        return False
    if billboards.is_image_empty(one):
        add_subject(context, one.data, billboards.seen_rect(scene, one))
        bpy.data.objects.remove(one)
        return True
    if billboards.loose_cards(scene, [one]):
        layer = add_subject(context, billboards.picture_on(one))
        layer.name, layer.bound_object = one.name, one
        layer.flip = billboards.is_mirrored(one)
        return True
    if one in render.bound_bodies(scene) or not object_binding.with_surface([one]):
        return False
    add_picture_of(context, [one], one.name)
    return True


CLASSES = (
    STANDEE_OT_stand_in_3d,
    STANDEE_OT_adopt_cards,
    STANDEE_OT_add_chosen,
    STANDEE_OT_add_asset,
)
