"""Window steps of the first use: no daemon runs, the sample is loaded and composed all the same."""

import bpy
from studio import (
    FOLDER,
    PACKAGE,
    link,
    module,
    pilot,
    standee,
)


def without_a_daemon():
    """Compose is pressed before any daemon runs: that is said, and the job goes on when one does."""
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=PACKAGE)
    chosen = bpy.context.preferences.addons[PACKAGE].preferences
    chosen.start_daemon = False
    chosen.connection_file = str(FOLDER / "nobody" / "connection.json")
    patience, module("jobs.daemon_link").PATIENCE = module("jobs.daemon_link").PATIENCE, 0.5
    space = pilot.area.spaces.active
    space.show_region_ui = True
    with pilot.context():
        assert bpy.ops.standee.load_sample() == {"FINISHED"}
        assert space.region_3d.view_perspective == "CAMERA"
    yield from pilot.sidebar()
    standee().steps = 2
    with pilot.context():
        bpy.ops.standee.compose()
    job = link().unfinished[0]
    yield from pilot.until(lambda: link().notice is not None, 30, "that no daemon answers")
    assert not job.over, (job.state, job.error)
    pilot.report["composed without a daemon"] = f"{link().notice.message} {link().notice.fix}"
    yield from pilot.shot("first-use")
    chosen.connection_file = str(FOLDER / "home" / "connection.json")
    yield from pilot.until(lambda: standee().results, 180, "the picture, when a daemon runs")
    assert link().notice is None
    yield from pilot.until(lambda: standee().shown_result(), 10, "the picture in the frame")
    module("jobs.daemon_link").PATIENCE = patience
    with pilot.context():
        bpy.ops.standee.result_discard()
    standee().layers.clear()
    for name in ("steps", "follow_render", "scene_source", "seed", "guidance", "use_guidance"):
        standee().property_unset(name)
    link().forget()
