"""Context menus of the Outliner and the Asset Browser: what is chosen there becomes a subject."""

import bpy

MENUS = ("OUTLINER_MT_context_menu", "OUTLINER_MT_object", "ASSETBROWSER_MT_context_menu")
ICON = "IMAGE_PLANE"


def outliner(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """For what is selected in the Outliner."""
    menu.layout.separator()
    menu.layout.operator("standee.add_chosen", icon=ICON)


def asset_browser(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """For the asset under the pointer, if it is one that can be a subject."""
    asset = context.asset
    if asset is None or asset.id_type not in ("OBJECT", "IMAGE"):
        return
    menu.layout.separator()
    action = menu.layout.operator("standee.add_asset", icon=ICON)
    action.filepath = "" if asset.local_id is not None else asset.full_library_path
    action.kind, action.name = asset.id_type, asset.name


def register() -> None:
    """Add the entries."""
    for name in MENUS:
        getattr(bpy.types, name).append(asset_browser if name.startswith("ASSET") else outliner)


def unregister() -> None:
    """Remove them."""
    for name in MENUS:
        getattr(bpy.types, name).remove(asset_browser if name.startswith("ASSET") else outliner)
