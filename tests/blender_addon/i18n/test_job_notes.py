"""Job notes in the artist's language, for every load preset."""

from __future__ import annotations

import re

import pytest

from blender_addon.i18n.zh_hans import CHINESE
from standee.wire.notes import MEMORY_PLAN, MEMORY_SHORT, PHRASES, note, note_text
from standee_backend.hardware.load_presets import CARDS, GIB, PROCESSOR

UNITS = {"GB", "GiB", "fp", "int"}


def in_chinese(about) -> str:
    return note_text(about, lambda phrase: CHINESE.get(phrase, phrase))


def english_words(text: str) -> set[str]:
    return set(re.findall("[A-Za-z]+", text)) - UNITS


def test_all_phrases_of_notes_are_in_the_dictionary() -> None:
    assert set(PHRASES) <= set(CHINESE)


@pytest.mark.parametrize("preset", [*CARDS, *PROCESSOR], ids=lambda preset: preset.name)
def test_a_plan_is_told_in_chinese(preset) -> None:
    said = in_chinese(note(MEMORY_PLAN, need=3 * GIB, room=15 * GIB, **preset.note_values()))
    assert not english_words(said)
    assert said.index("3.0 GiB") < said.index("15.0 GiB")


def test_a_smaller_preset_is_told_in_chinese() -> None:
    failed, preset = CARDS[0], CARDS[1]
    said = in_chinese(note(MEMORY_SHORT, failed=failed.name, **preset.note_values()))
    assert not english_words(said)
    assert said.index(failed.name) < said.index(preset.name)
