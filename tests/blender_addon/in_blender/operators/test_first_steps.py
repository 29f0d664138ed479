"""First steps after the installation: what the panel says, and one button for each step."""

import bpy
import pytest
from tests.blender_addon.in_blender.paper import Paper


@pytest.fixture
def drawn(addon, standee):
    """What the status says: words and operators."""

    def draw(perspective="CAMERA"):
        space = type(
            "Space", (), {"region_3d": type("View", (), {"view_perspective": perspective})}
        )
        context = type("Context", (), {"scene": bpy.context.scene, "space_data": space})
        paper = Paper()
        addon("panels.status").draw(paper, context)
        return paper.said

    return draw


def test_the_daemon_is_shown_before_it_is_asked_while_it_is_and_when_it_answers(
    addon, drawn, daemon, until
):
    assert "not asked yet" in drawn()
    assert "standee.preferences" in drawn()
    bpy.ops.standee.connect()
    assert "Looking for the daemon" in drawn()
    until(lambda: addon("jobs.daemon_link").link().models)
    assert "The daemon is ready" in drawn()


def test_the_model_is_shown_and_whether_it_is_there(addon, drawn, standee, daemon, until):
    assert "Model mini" in drawn()
    bpy.ops.standee.connect()
    until(lambda: addon("jobs.daemon_link").link().models)
    assert "Model mini: there" in drawn()
    standee.model = "somebody/else"
    assert "looks for it when you compose" in drawn()


def test_who_does_not_look_through_the_camera_is_told_and_helped(drawn, standee):
    assert "standee.look_through" not in drawn()
    assert "standee.look_through" in drawn("PERSP")
    bpy.context.scene.camera = None
    assert "standee.look_through" in drawn("CAMERA")


def test_looking_through_makes_a_camera_where_there_is_none(standee):
    scene = bpy.context.scene
    before = scene.camera
    bpy.ops.standee.look_through()
    assert scene.camera == before
    bpy.data.objects.remove(before)
    bpy.ops.standee.look_through()
    assert scene.camera.type == "CAMERA"


def test_the_sample_is_offered_loads_and_composes(drawn, standee, daemon):
    assert "standee.load_sample" in drawn()
    bpy.ops.standee.load_sample()
    assert len(standee.layers) >= 3
    assert "standee.load_sample" not in drawn()
    bpy.ops.standee.compose(wait=True)
    assert standee.results
    with pytest.raises(RuntimeError, match="has subjects already"):
        bpy.ops.standee.load_sample()


def test_what_went_wrong_is_said_in_the_camera_frame_too(addon, standee, daemon, until):
    from standee.errors import OutOfMemory

    view = addon("viewport.view_state")
    assert view.progress_of(standee) is None
    daemon.fail_with = OutOfMemory("The device has too little memory.")
    standee.prompt = "a beach"
    bpy.ops.standee.compose()
    until(lambda: addon("jobs.daemon_link").link().notice)
    assert "too little memory" in view.progress_of(standee).text
    bpy.ops.standee.dismiss()
    assert view.progress_of(standee) is None


def test_without_a_window_there_are_no_preferences_to_show(addon, standee):
    with pytest.raises(RuntimeError, match="no preferences to show"):
        bpy.ops.standee.preferences()


@pytest.mark.parametrize(("render", "said"), [((1920, 1080), True), ((512, 512), False)])
def test_a_canvas_that_is_smaller_than_the_render_says_so(addon, standee, render, said):
    standee.follow_render, standee.canvas_side = True, 512
    settings = bpy.context.scene.render
    settings.resolution_x, settings.resolution_y = render
    settings.resolution_percentage = 100
    paper = Paper()
    addon("panels.scene")._canvas(paper, standee, settings)
    assert ("The render has 1920 x 1080 px" in paper.words) is said
    assert "512 x 288 px" in paper.words or not said


def test_that_blender_renders_first_and_how_long_that_took_is_said_beside_the_button(
    addon, standee, subject
):
    def said():
        paper = Paper()
        space = type("Space", (), {"region_3d": type("View", (), {"view_perspective": "CAMERA"})})
        context = type("Context", (), {"scene": bpy.context.scene, "space_data": space})
        panel = type("Panel", (), {"layout": paper})
        addon("panels.compose").STANDEE_PT_compose.draw(panel, context)
        return " ".join(paper.words)

    bpy.ops.standee.add_files(filepath=subject)
    assert "renders the scene first" not in said()
    addon("scene.render_scene").seconds_of.clear()
    standee.scene_source = "RENDER"
    assert "renders the scene first; Blender does not answer" in said()
    assert "last time" not in said()
    bpy.context.scene.render.engine, bpy.context.scene.cycles.samples = "CYCLES", 1
    bpy.ops.standee.scene_capture()
    assert "(last time " in said()
