"""Add-on preferences: which daemon, how it is started, how rectangles look."""

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from standee.connection import Connection, connection_file
from standee.errors import InvalidField, NotConnected

from .core.overlay import Style

ADDON = __package__
"""The extension's name, which Blender gives it."""

on_another_daemon: list[Callable[[], None]] = []
"""What is to be done when another daemon is named."""
daemon_rows: list[Callable[[bpy.types.UILayout], object]] = []
"""What is drawn below the settings of the daemon."""


class StandeePreferences(bpy.types.AddonPreferences):
    bl_idname = ADDON

    connection_file: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Connection File",
        description=(
            "The file that the daemon wrote or that `standee pair` made. Empty: your own daemon"
        ),
        subtype="FILE_PATH",
        update=lambda self, context: _chosen_another(self, context),
    )
    start_daemon: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Start the Daemon When Needed",
        description="Launch the daemon when you compose and none is running",
        default=True,
    )
    start_command: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Start Command",
        description=(
            "How to start the daemon: the path of a Python that has standee[backend], or a"
            " command. Empty: `standee serve`, if it is installed"
        ),
    )
    marked: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Mark Pictures as Made by a Model",
        description="Say in the metadata of the pictures that are written that a model made them",
        default=True,
    )
    opacity: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Picture Opacity",
        description="How solid the subjects are drawn in the 3D view",
        min=0.0,
        max=1.0,
        default=0.9,
        subtype="FACTOR",
    )
    outline: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Outline",
        description="The colour of rectangles",
        size=4,
        min=0.0,
        max=1.0,
        default=Style.outline,
        subtype="COLOR_GAMMA",
    )
    selected: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Selected",
        description="The colour of the selected rectangle and its handles",
        size=4,
        min=0.0,
        max=1.0,
        default=Style.selected,
        subtype="COLOR_GAMMA",
    )
    bound: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Bound",
        description="The colour of rectangles that follow a 3D object",
        size=4,
        min=0.0,
        max=1.0,
        default=Style.bound,
        subtype="COLOR_GAMMA",
    )
    line: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Line Width",
        description="The width of outlines in pixels, before the interface's scale",
        min=0.5,
        max=8.0,
        default=Style.line,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        daemon = layout.column(heading="Daemon")
        daemon.prop(self, "connection_file")
        daemon.prop(self, "start_daemon")
        command = daemon.column()
        command.active = self.start_daemon
        command.prop(self, "start_command")
        for row in daemon_rows:
            row(daemon)
        layout.prop(self, "marked")
        layout.separator()
        look = layout.column()
        for name in ("opacity", "line", "outline", "selected", "bound"):
            look.prop(self, name)


class _Defaults:
    """What holds while the extension runs outside of Blender's list of add-ons (in tests)."""

    connection_file = ""
    start_daemon = False
    start_command = ""
    marked = True
    opacity, line = Style.opacity, Style.line
    outline, selected, bound = Style.outline, Style.selected, Style.bound


def preferences() -> Any:
    """Return the extension's preferences."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon.preferences if addon and addon.preferences else _Defaults


def style() -> Style:
    """Return how the overlay looks: the preferences, and the interface's own scale."""
    chosen = preferences()
    return Style(
        outline=tuple(chosen.outline),
        selected=tuple(chosen.selected),
        bound=tuple(chosen.bound),
        opacity=chosen.opacity,
        line=chosen.line,
        ui_scale=ui_scale(),
    )


def ui_scale() -> float:
    """Return how much larger than usual the interface is drawn; without a window 1."""
    return bpy.context.preferences.system.ui_scale or 1.0


def chosen_connection_file() -> Path:
    """Return the connection file to use: the chosen one, or that of the user's own daemon."""
    chosen = preferences().connection_file
    return Path(bpy.path.abspath(chosen)) if chosen else connection_file()


def interpreter() -> str | None:
    """Return the Python to start the daemon with, if the start command is nothing but one."""
    command = preferences().start_command.strip().strip('"')
    if command and Path(command).name.lower().startswith("python") and shutil.which(command):
        return command
    return None


def run_start_command() -> bool:
    """Run the start command, if there is one that is not just a Python. Raises `InvalidField`."""
    command = preferences().start_command.strip()
    if not command or interpreter():
        return False
    try:
        subprocess.Popen(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise InvalidField(
            f"The start command {command!r} does not run: {error}.",
            fix="Correct it in the preferences of Standee, or run `standee serve` in a terminal.",
        ) from None
    return True


def may_start(connection: Connection | None, file: Path) -> bool:
    """Whether a daemon that is started here would be the one that the file is about.

    One on another computer is not; nor is one that a paired file is for, which no daemon writes.
    """
    if connection is not None and not is_local(connection):
        return False
    return file.name == connection_file().name


def require_online(connection: Connection) -> None:
    """Raise `NotConnected` if a daemon is elsewhere and Blender is set to stay offline."""
    if not bpy.app.online_access:
        raise NotConnected(
            f"The daemon is on another computer ({connection.endpoint}), and Blender is set to"
            " stay offline.",
            fix="Allow online access in Preferences > System > Network.",
        )


def _chosen_another(self: Any, context: bpy.types.Context) -> None:
    """Another daemon is named: have that one looked for."""
    for do in on_another_daemon:
        do()


def is_local(connection: Connection) -> bool:
    """Whether a daemon is on this computer, so that it is reached without going online."""
    host = connection.endpoint.split("://")[-1].rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")


CLASSES = (StandeePreferences,)
