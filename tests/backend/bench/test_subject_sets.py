"""Sets of subjects: what is read of each layout, and what is said where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from standee.composition import Rect
from standee.errors import InvalidField
from standee_backend.bench.subject_sets import Subject, read_set
from standee_backend.catalog import catalog


def picture(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a picture")


def test_a_folder_of_ones_own(tmp_path) -> None:
    picture(tmp_path, "cat.png")
    said = {"subjects": [{"picture": "cat.png", "words": "cat"}], "prompts": ["{} on a beach"]}
    (tmp_path / "subjects.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(said).encode())
    found = read_set(tmp_path)
    assert found.subjects == (Subject("cat.png", "cat"),)
    assert found.prompts_of(found.subjects[0]) == ("{} on a beach",)


def test_dreambench_has_prompts_for_things_and_for_animals(tmp_path) -> None:
    for name in ("can/00.jpg", "can/01.jpg", "dog6/00.jpg"):
        picture(tmp_path, f"dataset/{name}")
    (tmp_path / "dataset/prompts_and_classes.txt").write_text(
        "Classes\n\nsubject_name,class\ncan,can\ndog6,dog\n\nPrompts\n\nObject Prompts\n\nprompt_list = [\n"
        "'a {0} {1} on top of a mirror'.format(unique_token, class_token),\n]\n\nLive Subject Prompts\n\n"
        "prompt_list = [\n'a {0} {1} wearing a red hat'.format(unique_token, class_token)\n]\n"
    )
    can, dog = read_set(tmp_path).subjects
    assert can == Subject("dataset/can/00.jpg", "can", ("a {} on top of a mirror",))
    assert dog == Subject("dataset/dog6/00.jpg", "dog", ("a {} wearing a red hat",))


def test_lamicbench_gives_the_cases_whose_references_all_have_boxes(tmp_path) -> None:
    def reference(words: str, **more) -> dict:
        picture(tmp_path, f"dataset/images/{words}.jpg")
        return {"image_path": f"./dataset/images/{words}.jpg", "SAD": {"id": words}, **more}

    boxes = {"bbox": [0.0, 0.25, 0.5, 1.0]}, {"bbox": [0.5, 0.0, 1.0, 1.0]}
    cases = {
        "sample_000": {
            "prompt": "A boy meets a cat.",
            "ref_img_1": reference("a boy", **boxes[0]),
            "ref_img_2": reference("a cat", **boxes[1]),
        },
        "sample_001": {"prompt": "A man.", "ref_img_1": reference("a man")},
    }
    file = tmp_path / "dataset/structured_inputs/Two-Reference.json"
    file.parent.mkdir()
    file.write_text(json.dumps(cases))
    [case] = read_set(tmp_path).arranged
    assert case.prompt == "A boy meets a cat."
    assert [subject.words for subject in case.subjects] == ["a boy", "a cat"]
    assert case.boxes == (Rect(0, 0.25, 0.5, 0.75), Rect(0.5, 0, 0.5, 1))


def test_the_bundled_models_own_figures_are_all_there() -> None:
    found = read_set(catalog.MINI / "subjects")
    assert len(found.subjects) == 100
    assert all("{}" in prompt for prompt in found.prompts)


@pytest.mark.parametrize(
    ("said", "about"),
    [
        (None, "holds no set"),
        ("{", "no JSON"),
        ('{"subjects": [{"picture": "gone.png", "words": "cat"}]}', "gone.png"),
        ('{"subjects": [{"picture": "gone.png"}]}', "words"),
        ("{}", "empty"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, said, about) -> None:
    if said is not None:
        (tmp_path / "subjects.json").write_text(said)
    with pytest.raises(InvalidField, match=about):
        read_set(tmp_path)
