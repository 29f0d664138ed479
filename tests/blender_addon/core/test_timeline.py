"""Prompts at markers, and the frame ledger of a resumed range."""

from __future__ import annotations

from pathlib import Path

from blender_addon.core.frame_ledger import LEDGER, FrameLedger
from blender_addon.core.timeline import fingerprint, frames, prompt_at, runs, spelled_out

MARKERS = {"dawn": 10, "noon": 20, "cut": 25}
PROMPTS = {"dawn": "at dawn", "noon": "at noon", "gone": "never"}


def test_a_prompt_holds_from_its_marker_to_the_next():
    shown = {frame: prompt_at(frame, "base", MARKERS, PROMPTS) for frame in (9, 10, 19, 20, 30)}
    assert shown == {9: "base", 10: "at dawn", 19: "at dawn", 20: "at noon", 30: "at noon"}


def test_a_range_includes_both_ends():
    assert frames(1, 8) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert frames(1, 8, 3) == [1, 4, 7]
    assert frames(5, 5) == [5]


def test_a_strip_holds_a_run_and_with_a_step_one_frame():
    assert runs([1, 2, 5, 6]) == [[1, 2], [5, 6]]
    assert runs([1, 2], step=2) == [[1], [2]]


def test_frames_are_spelled_out_in_runs():
    assert spelled_out([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert spelled_out([5]) == "5"


def test_what_is_done_is_not_done_again(tmp_path: Path):
    ledger = FrameLedger.read(tmp_path)
    ledger.add(1, fingerprint(b"one"), b"png")
    ledger.add(2, fingerprint(b"two"), b"png")
    again = FrameLedger.read(tmp_path)
    wanted = [(1, fingerprint(b"one")), (2, fingerprint(b"changed")), (3, fingerprint(b"three"))]
    assert again.missing(wanted) == [2, 3]


def test_two_who_add_frames_lose_none(tmp_path: Path):
    first, second = FrameLedger.read(tmp_path), FrameLedger.read(tmp_path)
    first.add(1, "x", b"png")
    second.add(2, "x", b"png")
    first.add(3, "x", b"png")
    assert set(FrameLedger.read(tmp_path).made) == {1, 2, 3}


def test_a_deleted_picture_is_made_again(tmp_path: Path):
    FrameLedger.read(tmp_path).add(7, "x", b"png").unlink()
    assert FrameLedger.read(tmp_path).missing([(7, "x")]) == [7]


def test_a_damaged_ledger_means_that_nothing_is_done(tmp_path: Path):
    for damage in ("", "[]", '{"frames": 3}', '{"frames": {"a": "b"}}'):
        (tmp_path / LEDGER).write_text(damage)
        assert FrameLedger.read(tmp_path).made == {}


def test_frames_are_named_for_the_sequencer(tmp_path: Path):
    assert FrameLedger.read(tmp_path).add(12, "x", b"png").name == "0012.png"
