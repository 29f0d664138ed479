"""Chinese for every sentence of the interface; those of properties are checked in Blender."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from blender_addon.i18n.zh_hans import CHINESE
from blender_addon.i18n.zh_hans.actions import ACTIONS
from blender_addon.i18n.zh_hans.settings import SETTINGS
from blender_addon.i18n.zh_hans.words import WORDS

ADDON = Path(__file__).resolve().parents[3] / "blender_addon"
SAID_FIRST = {"say": 0, "poll_fails": 1, "paragraph": 1}
"""Which argument of these functions is a sentence."""
LAYOUT = {"text", "placeholder", "heading"}
"""The arguments of Blender's layout that are words."""


def sentences(path: Path) -> set[str]:
    """Return what a module says: constants at the places where words belong."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        said = [word.value for word in node.keywords if word.arg in LAYOUT]
        if name in SAID_FIRST and len(node.args) > SAID_FIRST[name]:
            said.append(node.args[SAID_FIRST[name]])
        for value in said:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.add(part.value)
    return found


@pytest.mark.parametrize(
    "path", sorted(ADDON.rglob("*.py")), ids=lambda one: one.relative_to(ADDON).as_posix()
)
def test_what_is_said_has_a_translation(path: Path) -> None:
    words = {one for one in sentences(path) if any(letter.isalpha() for letter in one)}
    assert not words - set(CHINESE)


def test_translations_fill_in_the_same_values() -> None:
    for english, chinese in CHINESE.items():
        fields = [
            sorted(f for _, f, _, _ in string.Formatter().parse(one) if f)
            for one in (english, chinese)
        ]
        assert fields[0] == fields[1], english


def test_nothing_is_translated_twice() -> None:
    assert len(CHINESE) == len(SETTINGS) + len(ACTIONS) + len(WORDS)
