"""Notes of jobs in the panels: whatever the daemon says of a picture stays with it."""

import json

import bpy
import msgspec
import pytest
from tests.blender_addon.in_blender.paper import Paper

from standee.wire.notes import (
    LORA_PART_LEFT_OUT,
    LORA_STRENGTH_UNKNOWN,
    MODEL_CACHED,
    SCENE_RESIZED,
    SUBJECT_NOWHERE,
    WORDS_CUT,
    note,
)

SAID = {
    "“fox” is not in the picture: others hide all of it.": note(
        SUBJECT_NOWHERE, "$.layers[0]", name="fox", why="hidden"
    ),
    "The model reads 77 tokens; what follows in “a red…” was cut off.": note(
        WORDS_CUT, limit=77, start="a red"
    ),
    "is drawn in 256 x 128 px": note(SCENE_RESIZED, width=512, height=256, across=256, down=128),
    "flux is the copy that was downloaded earlier (commit abc).": note(
        MODEL_CACHED, model="flux", commit="abc"
    ),
    "Of the LoRA ink 3 layers were left out: they change norms": note(
        LORA_PART_LEFT_OUT, file="ink", count=3, part="norms"
    ),
    "The LoRA ink does not say how strong it is; set its weight by eye. Try 0.5.": note(
        LORA_STRENGTH_UNKNOWN, file="ink", fix="Try 0.5."
    ),
}


def drawn(addon, panel, name):
    """What a panel of the sidebar says of the scene."""
    paper = Paper()
    view = type("View", (), {"view_perspective": "CAMERA"})
    space = type("Space", (), {"region_3d": view})
    context = type("Context", (), {"scene": bpy.context.scene, "space_data": space})
    kind = getattr(addon(f"panels.{panel}"), name)
    kind.draw(type("Panel", (), {"layout": paper}), context)
    return " ".join(paper.words)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("“fox” is not in the picture.", ["“fox” is not", "in the", "picture."]),
        ("Größe ändern, überall", ["Größe", "ändern,", "überall"]),
        ("“狐狸”不在画面中：它在画布之外。", ["“狐狸”不在画", "面中：它在画", "布之外。"]),
        ("see /a/very/long/path/indeed", ["see", "/a/very/long", "/path/indeed"]),
        ("", []),
    ],
)
def test_sentences_break_between_words_and_chinese_anywhere(addon, text, lines):
    assert addon("panels.base").wrap_lines(text, 12) == lines


@pytest.mark.parametrize("said", SAID)
def test_what_was_noted_of_a_result_is_shown_with_it(addon, standee, png, said):
    receipt = {"notes": msgspec.to_builtins((SAID[said],))}
    store = addon("results.store")
    store.add(bpy.context.scene, png(8, 8), receipt, "noted", "")
    assert said in drawn(addon, "results", "STANDEE_PT_results")
    store.add(bpy.context.scene, png(8, 8, (0, 1, 0, 1)), {}, "another", "")
    assert said not in drawn(addon, "results", "STANDEE_PT_results")


@pytest.mark.parametrize("receipt", ["", "[]", "{", '{"notes": 3}', '{"notes": [{"code": 1}]}'])
def test_notes_of_another_version_are_left_out(addon, standee, png, receipt):
    addon("results.store").add(bpy.context.scene, png(8, 8), {}, "odd", "")
    standee.results[0].receipt = receipt
    assert standee.results[0].notes == ()
    drawn(addon, "results", "STANDEE_PT_results")


def test_notes_are_shown_while_a_job_runs_and_kept_with_its_result(addon, ready, daemon, until):
    daemon.note = SAID[said := next(iter(SAID))]
    bpy.ops.standee.compose()
    [job] = addon("jobs.daemon_link").link().unfinished
    until(lambda: job.notes)
    assert said in drawn(addon, "compose", "STANDEE_PT_compose")
    until(lambda: bpy.context.scene.standee.results)
    assert json.loads(ready.results[0].receipt)["notes"][0]["code"] == SUBJECT_NOWHERE
    assert said in drawn(addon, "results", "STANDEE_PT_results")


def test_notes_of_frames_are_shown_with_the_range_and_said_to_scripts(
    addon, ready, daemon, tmp_path, capfd
):
    daemon.note = SAID[said := next(iter(SAID))]
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 3
    ready.range_folder = str(tmp_path / "frames")
    ready.keyframe_insert("seed", frame=1)
    ready.seed = 2
    ready.keyframe_insert("seed", frame=2)
    bpy.ops.standee.compose_range(wait=True)
    assert len(daemon.specs) == 2, "two frames are the very same"
    assert f"Frames 1-3: {said}" in drawn(addon, "animation", "STANDEE_PT_animation")
    assert said in capfd.readouterr().out


def test_notes_are_said_to_scripts_that_wait(ready, daemon, capfd):
    daemon.note = SAID[said := next(iter(SAID))]
    bpy.ops.standee.compose(wait=True)
    assert capfd.readouterr().out.count(said) == 1
