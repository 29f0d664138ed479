"""The JSON Schema that `standee schema` prints, against what compositions may be."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from standee.composition import (
    Composition,
    Layer,
    Method,
    Rect,
    Sampling,
    Scene,
    json_schema,
    to_json,
    validate,
)
from standee.errors import InvalidField
from support.command_line import Run

IN_DOCS = Path(__file__).resolve().parents[4] / "docs" / "composition.schema.json"


def test_the_file_in_docs_is_what_the_command_prints(standee: Run) -> None:
    ran = standee("schema")
    assert ran.code == 0
    assert IN_DOCS.read_text(encoding="utf-8") == ran.out, "standee schema > " + str(IN_DOCS)


def test_every_type_that_it_names_is_in_it() -> None:
    found = json_schema()
    named = {text.rpartition("/")[2] for text in references(found)}
    assert named == set(found["$defs"]) >= {"Canvas", "Layer", "Scene", "Sampling", "Control"}


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [each for one in part for each in references(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [each for one in part.values() for each in references(one)]


def test_it_takes_a_composition_with_everything_in_it() -> None:
    checker = pytest.importorskip("jsonschema").Draft202012Validator(json_schema())
    layer = Layer(picture="0" * 64, rect=Rect(-5, 3.5, 64, 64), name="cat", rotation=30)
    whole = Composition(
        layers=(layer,), scene=Scene(picture="1" * 64), method=Method(tau=0.5), sampling=Sampling()
    )
    assert list(checker.iter_errors(json.loads(to_json(whole)))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"canvas": {"width": 8}},
        {"layers": [{"rect": {"x": 0, "y": 0, "w": 0, "h": 1}}]},
        {"layers": [{"picture": "cat.png", "rect": {"x": 0, "y": 0, "w": 1, "h": 1}}]},
        {"sampling": {"seed": "seven"}},
        {"method": {"mode": "magic"}},
    ],
)
def test_it_refuses_what_the_daemon_refuses(wrong: dict[str, Any]) -> None:
    checker = pytest.importorskip("jsonschema").Draft202012Validator(json_schema())
    assert not checker.is_valid(wrong)
    with pytest.raises(InvalidField):
        validate(msgspec.to_builtins(wrong))
