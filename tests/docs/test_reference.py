"""The pages that are made from the code, against the code; and the errors' ways out."""

import importlib.util
from pathlib import Path

import pytest

from standee import errors
from standee_cli.console import EXITS

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
assert SPEC is not None
assert SPEC.loader is not None
reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference)


@pytest.mark.parametrize("page", reference.pages(), ids=lambda page: page.name)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    text = page.read_text("utf-8")
    assert reference.made_anew(text) == text, "run `python docs/make_reference.py`"


def test_all_parts_are_on_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in reference.pages())
    for what in reference.PARTS:
        assert f"docs/make_reference.py: {what} -->" in text


@pytest.mark.parametrize("kind", reference.error_types(), ids=lambda kind: kind.code)
def test_each_error_says_what_happened_and_the_way_out(kind: type[errors.StandeeError]) -> None:
    what, way = reference.paragraphs_of(kind)
    assert kind.__doc__ != errors.StandeeError.__doc__
    assert what.endswith("."), "the docstring's first paragraph says what happened"
    assert way.endswith("."), "its second paragraph says the way out"


def test_an_error_without_words_would_be_seen() -> None:
    kind = type("Silent", (Exception,), {"__doc__": "Something happened."})
    assert reference.paragraphs_of(kind) == ("Something happened.", "")


def test_every_code_that_ends_a_command_is_listed() -> None:
    assert set(EXITS) <= {kind.code for kind in reference.error_types()}
