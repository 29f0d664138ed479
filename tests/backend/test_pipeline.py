"""The pipeline for notebooks: what it composes, shows, tells and refuses, on the bundled model."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from standee.errors import DownloadNeeded, InvalidField, JobCancelled, UnknownModel
from standee_backend import ControlImage, StandeePipeline, Subject

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = {"width": 96, "height": 64, "num_inference_steps": 2}


@pytest.fixture(scope="module")
def pipe() -> StandeePipeline:
    pipeline = StandeePipeline.from_pretrained("mini", device="cpu")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def robot() -> Subject:
    return Subject(EXAMPLES / "subjects/robot.png", rect=(16, 8, 48, 48), prompt="a robot")


def shown(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_pictures_are_composed_and_shown_with_their_layout(pipe, robot) -> None:
    out = pipe("a meadow", layers=[robot], num_images_per_prompt=2, seed=3, **SMALL)
    assert [image.size for image in out.images] == [(96, 64)] * 2
    assert shown(out._repr_png_()).size == (192, 64)
    assert [receipt["composition"]["sampling"]["seed"] for receipt in out.receipts] == [3, 4]
    again = pipe("a meadow", layers=[robot], seed=4, **SMALL).images[0]
    assert np.array_equal(out.images[1], again)
    view = shown(pipe.layout(layers=[robot], width=96, height=64)._repr_png_())
    assert view.size == (96, 64)
    assert len(view.convert("RGB").getcolors(10_000)) > 10


@pytest.mark.parametrize("kind", ["path", "bytes", "image", "array"])
def test_a_picture_comes_in_any_shape(pipe, robot, kind) -> None:
    image = Image.open(robot.picture)
    picture = {
        "path": str(robot.picture),
        "bytes": Path(robot.picture).read_bytes(),
        "image": image,
        "array": np.asarray(image),
    }[kind]
    given = pipe.layout(layers=[Subject(picture, robot.rect)], width=96, height=64)
    expected = pipe.layout(layers=[robot], width=96, height=64)
    assert given._repr_png_() == expected._repr_png_()


def test_a_scene_keeps_its_pixels_and_gives_its_size(pipe, robot) -> None:
    scene = Image.open(EXAMPLES / "scenes/beach.png").convert("RGB").resize((96, 64))
    kept = np.zeros((64, 96), np.uint8)
    kept[:, :32] = 255
    out = pipe("a beach", scene=scene, kept=kept, num_inference_steps=1).images[0]
    assert out.size == (96, 64)
    assert np.array_equal(np.asarray(out)[:, :32], np.asarray(scene)[:, :32])


def test_each_step_is_told_and_the_callback_can_stop(pipe, robot) -> None:
    steps: list[tuple[int, int, bool]] = []

    def look(pipeline, step, left, shown):
        steps.append((step, left, shown["image"] is not None))
        pipeline.interrupt = step == 1
        return {}

    with pytest.raises(JobCancelled):
        pipe("a beach", callback_on_step_end=look, **SMALL | {"num_inference_steps": 4})
    assert [step for step, _, _ in steps] == [0, 1]
    assert [left for _, left, _ in steps] == [750, 500]
    assert any(preview for _, _, preview in steps)
    assert pipe("a beach", **SMALL).images, "the next one is not stopped"


def test_what_is_not_as_it_was_asked_is_noted(pipe, robot) -> None:
    hidden = Subject(robot.picture, rect=(200, 200, 32, 32))
    notes = pipe("a beach", layers=[hidden], **SMALL).notes
    assert any(note.path == "$.layers[0]" for note in notes)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"fidelty": 0.5}, "$.layers[0].fidelty"),
        ({"fidelity": 2.0}, "$.layers[0].fidelity"),
    ],
)
def test_a_wrong_field_is_named(pipe, robot, fields, path) -> None:
    with pytest.raises(InvalidField) as caught:
        pipe("", layers=[Subject(robot.picture, robot.rect, **fields)], **SMALL)
    assert caught.value.path == path
    with pytest.raises(InvalidField) as caught:
        pipe("", taus=0.5, **SMALL)
    assert caught.value.path == "$.method.taus"


@pytest.mark.parametrize(
    ("control", "path"),
    [
        (ControlImage("depth", b"", strenght=1.0), "$.control[0].strenght"),
        (ControlImage("depth", b"", strength=3.0), "$.control[0].strength"),
        (ControlImage("depths", b""), "$.control[0].kind"),
        (ControlImage("depth", b"", layer=1), "$.control[0].layer"),
        (ControlImage("depth", b"", layer=0), "$.control[0].kind"),  # which mini does not take
    ],
)
def test_a_wrong_control_picture_is_named(pipe, robot, control, path) -> None:
    with pytest.raises(InvalidField) as caught:
        pipe("", layers=[robot], control=[control], **SMALL)
    assert caught.value.path == path


def test_models_that_are_not_here(monkeypatch, tmp_path) -> None:
    with pytest.raises(UnknownModel):
        StandeePipeline.from_pretrained(str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises((DownloadNeeded, InvalidField)):
        StandeePipeline.from_pretrained("black-forest-labs/FLUX.1-schnell")


def test_the_example_notebook_runs(monkeypatch) -> None:
    """All of its cells, in turn, with fewer steps; each ends with what it shows."""
    monkeypatch.chdir(EXAMPLES)
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text("utf-8"))
    cells = ["".join(one["source"]) for one in notebook["cells"] if one["cell_type"] == "code"]
    cells = [re.sub(r"(num_inference_steps)=\d+", r"\1=2", cell) for cell in cells]
    assert cells
    names: dict = {}
    for cell in cells:
        *lines, last = cell.strip().splitlines()
        exec("\n".join(lines), names)
        assert shown(names[last]._repr_png_()).width > 64
