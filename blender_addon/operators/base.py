"""Base operators: error reports, shared polls, and how jobs are submitted."""

from collections.abc import Callable, Iterable

import bpy

from standee.errors import StandeeError
from standee.wire.notes import Note

from ..core.rendering.polygon_fill import Outline
from ..i18n.translations import note_words, say
from ..jobs.daemon_link import link
from ..jobs.job import Job
from ..jobs.waiting import wait_for
from ..scene import grease_pencil
from ..scene.scene_properties import StandeeLayer, StandeeScene
from ..viewport import view_state

WAIT = bpy.props.BoolProperty(
    name="Wait",
    description="Return only when it is done; for scripts, and for Blender without a window",
    default=False,
    options={"SKIP_SAVE"},
)
"""An operator's property."""
DOWNLOAD = bpy.props.BoolProperty(
    name="Download",
    description="Bring what is not on the daemon's machine from the hub; you accept its licence",
    options={"SKIP_SAVE"},
)
"""An operator's property."""


def refuse(operator: bpy.types.Operator, error: StandeeError) -> set[str]:
    """Report an error with its fix, and cancel."""
    operator.report({"ERROR"}, f"{error.message} {error.fix}".strip())
    return {"CANCELLED"}


def poll_fails(kind: type, reason: str) -> bool:
    """Say why an operator is greyed out, in the interface's language; return false."""
    kind.poll_message_set(bpy.app.translations.pgettext_tip(reason))  # type: ignore[attr-defined]
    return False


def report_notes(operator: bpy.types.Operator, notes: Iterable[Note]) -> None:
    """Say what jobs noted that were waited for: nobody sees the panel then."""
    for words in dict.fromkeys(note_words(one) for one in notes):
        operator.report({"INFO"}, words)


def composition(context: bpy.types.Context) -> StandeeScene:
    """Return the composition of the context's scene."""
    return context.scene.standee


def active_layer(context: bpy.types.Context) -> StandeeLayer | None:
    """Return the active layer of the context's scene."""
    return composition(context).active() if context.scene is not None else None


class Submits:
    """An operator that submits jobs, and returns when they are done if `wait` is on."""

    def submit(self, start: Callable[[], list[Job]]) -> set[str]:
        """Do it, and say where to see how far the jobs are."""
        try:
            jobs = start()
            if self.wait:  # type: ignore[attr-defined]
                wait_for(jobs)
                report_notes(self, (note for job in jobs for note in job.notes))
            else:
                report_submitted(self)
        except StandeeError as error:
            link().show_error(error)
            return refuse(self, error)
        return {"FINISHED"}


def report_submitted(operator: bpy.types.Operator) -> None:
    """Say where to see how far it is; without a window nothing moves on by itself."""
    if bpy.app.background:
        said = say("Without a window nothing is made until you call it with wait=True, or wait().")
        operator.report({"WARNING"}, said)
    else:
        operator.report({"INFO"}, say("Handed in. The sidebar's Standee tab says how far it is."))


class NeedsLayer:
    """An operator on the active layer."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if active_layer(context) is None:
            return poll_fails(cls, "Add a subject first")
        return True


class ToolKey:
    """An operator that is also a key of the tool: there it leaves alone what is no subject's."""

    tool: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.tool and not view_state.keys_mean_subjects(context):
            return {"PASS_THROUGH"}
        return self.execute(context)  # type: ignore[attr-defined, no-any-return]


class NeedsCamera:
    """An operator that looks through the scene's camera."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene is None or context.scene.camera is None:
            return poll_fails(cls, "The scene has no camera; its frame is the canvas")
        return True


class NeedsResult:
    """An operator on the active result."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if composition(context).chosen_result() is None:
            return poll_fails(cls, "There is no result yet")
        return True


class NeedsStrokes(NeedsCamera):
    """An operator on what Grease Pencil strokes enclose in the camera frame."""

    HIDE = bpy.props.BoolProperty(
        name="Hide Strokes",
        description="Disable the drawings in renders: they are no part of the scene",
        default=True,
    )
    """An operator's property `hide`."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        if not grease_pencil.drawings(context):
            return poll_fails(cls, "Draw around it with Grease Pencil first")
        return True

    def outlines(self, context: bpy.types.Context) -> list[Outline]:
        """Return the strokes in canvas px. Raises `InvalidField` if the camera sees none."""
        drawings = grease_pencil.drawings(context)
        return grease_pencil.outlines(context.scene, context.evaluated_depsgraph_get(), drawings)

    def put_away(self, context: bpy.types.Context) -> None:
        """Hide the drawings from renders, if that is wanted."""
        for one in grease_pencil.drawings(context) if self.hide else ():  # type: ignore[attr-defined]
            one.hide_render = True
