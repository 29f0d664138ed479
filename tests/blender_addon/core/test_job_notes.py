"""What the daemon says of a job's memory is told in the artist's language, whichever preset it took."""

from __future__ import annotations

import re

import pytest

from blender_addon.core.job_notes import told
from blender_addon.i18n.zh_hans import CHINESE
from standee_backend.hardware.load_presets import CARDS, GIB, PROCESSOR, Preset
from standee_backend.hardware.memory_estimate import Plan

UNITS = {"GB", "GiB", "fp", "int"}


def in_chinese(note: str) -> str:
    return told(note, lambda phrase: CHINESE.get(phrase, phrase))


def english_words(text: str) -> set[str]:
    return set(re.findall("[A-Za-z]+", text)) - UNITS


@pytest.mark.parametrize("preset", [*CARDS, *PROCESSOR], ids=lambda preset: preset.name)
def test_a_plan_is_told_in_chinese(preset: Preset) -> None:
    said = in_chinese(f"Memory: {Plan(preset, 3 * GIB, 15 * GIB)}.")
    assert not english_words(said)
    assert said.index("3.0 GiB") < said.index("15.0 GiB")


def test_a_smaller_preset_is_told_in_chinese() -> None:
    failed, preset = CARDS[0], CARDS[1]
    said = in_chinese(
        f"Too little memory with preset {failed.name}; going on with preset {preset.name}:"
        f" {preset.meaning}."
    )
    assert not english_words(said)
    assert said.index(failed.name) < said.index(preset.name)


@pytest.mark.parametrize("note", [f"Memory: {Plan(CARDS[1], GIB, GIB)}.", "Memory: {plenty}."])
def test_in_english_and_in_another_daemons_words_it_stays_as_it_is(note: str) -> None:
    assert told(note, str) == note
