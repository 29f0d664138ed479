"""`standee compose` and `standee cutout` without a daemon: what they ask for, and what they write."""

import errno
import hashlib
import io
import json
import os
import sys
from pathlib import Path

import pytest

from standee.composition import Composition, Control, Lora, Rect
from standee.document.document import Document
from standee.document.receipt import embed, extract
from standee.errors import DownloadNeeded, InvalidField, JobCancelled, MissingBlob, StandeeError
from standee.wire.events import Result
from standee.wire.messages import Point
from standee_cli import job_runs
from standee_cli.commands.compose import with_options
from standee_cli.options import parse_lora
from support.command_line import PNG, FakeClient, Run


def test_compose_writes_numbered_pictures_with_their_receipts(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("scene.json").write_text('{"prompt": "a cat"}')
    ran = standee("compose", "scene.json", "-o", "out.png", "--count", "2", "-q")
    assert (ran.code, ran.out) == (0, "out-1.png\nout-2.png\n")
    assert extract(Path("out-2.png").read_bytes())["model"] == {"fingerprint": "1"}
    assert [name for name, _ in daemon.calls] == ["submit", "wait", "release"]
    assert sorted(map(str, Path().iterdir())) == ["out-1.png", "out-2.png", "scene.json"]


@pytest.mark.parametrize("agreed", [False, True])
def test_only_yes_lets_a_job_download_what_it_names(
    standee: Run, daemon: type[FakeClient], agreed: bool
) -> None:
    Path("scene.json").write_text('{"sampling": {"model": "evil/model"}}')
    command = ["compose", "scene.json", "-o", "out.png", "-q", *(["--yes"] if agreed else [])]
    assert standee(*command).code == 0
    assert daemon.agreed is agreed


def test_a_download_that_nobody_agreed_to_is_the_inputs_fault(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = DownloadNeeded("evil/model is not on this machine.", fix="Say yes: --yes.")
    monkeypatch.setattr(daemon, "error", error)
    Path("scene.json").write_text("{}")
    ran = standee("compose", "scene.json", "--json")
    assert ran.code == 2
    assert json.loads(ran.out)["error"]["code"] == "download-needed"
    assert "--yes" in ran.err


def test_a_picture_that_cannot_be_written_stays_with_the_daemon(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    check = job_runs.check_output

    def check_then_fill(*given: object) -> None:
        check(*given)
        monkeypatch.setattr(os, "fsync", full)

    monkeypatch.setattr("standee_cli.commands.compose.check_output", check_then_fill)
    ran = standee("compose", "scene.json", "-o", "out.png", "-q")
    assert ran.code == 1
    [job] = [job for name, job in daemon.calls if name == "wait"]
    assert "the disk is full" in ran.err
    assert f"standee jobs {job} -o FILE" in ran.err
    assert "release" not in [name for name, _ in daemon.calls]
    assert list(Path().iterdir()) == [Path("scene.json")]


def test_names_are_tried_before_the_work_with_their_numbers(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("scene.json").write_text("{}")
    longest = "n" * 251 + ".png"
    ran = standee("compose", "scene.json", "-o", longest, "--count", "2")
    assert ran.code == 1
    assert "name is too long" in ran.err
    assert daemon.calls == []


def test_a_picture_is_marked_as_a_models_work_unless_that_is_not_wished(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")
    said = []
    for options in ((), ("--no-mark",)):
        standee("compose", "scene.json", "-q", *options)
        said.append(b"DigitalSourceType" in Path("scene-1.png").read_bytes())
    monkeypatch.setenv("STANDEE_MARK", "0")
    standee("compose", "scene.json", "-q")
    said.append(b"DigitalSourceType" in Path("scene-1.png").read_bytes())
    assert said == [True, False, False]


def test_a_detached_job_is_handed_in_and_left(standee: Run, daemon: type[FakeClient]) -> None:
    Path("scene.json").write_text("{}")
    ran = standee("compose", "scene.json", "--detach")
    assert (ran.code, ran.out) == (0, "a-job\n")
    assert [name for name, _ in daemon.calls] == ["submit"]
    assert json.loads(standee("compose", "scene.json", "--detach", "--json").out) == {
        "job": "a-job"
    }
    assert standee("compose", "scene.json", "--detach", "-o", "out.png").code == 2


def test_a_composition_comes_from_stdin_(
    standee: Run, daemon: type[FakeClient], saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, prompt in (
        (b'\xef\xbb\xbf{"prompt": "a dog"}', "a dog"),
        (saved.read_bytes(), "a cat"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        standee("compose", "-", "-q")
        assert daemon.calls[0][1].prompt == prompt
        daemon.calls.clear()
    assert Path("standee-1.png").exists()


def test_for_programs_compose_answers_what_it_made(standee: Run, daemon: type[FakeClient]) -> None:
    Path("scene.json").write_text("{}")
    made = json.loads(standee("compose", "scene.json", "--json").out)["results"]
    assert [(one["path"], one["seed"]) for one in made] == [("scene-1.png", 0), ("scene-2.png", 1)]


def test_saving_keeps_the_results_in_the_document(
    standee: Run, daemon: type[FakeClient], saved: Path
) -> None:
    ran = standee("compose", saved, "--prompt", "a dog", "--save", saved, "-q")
    assert ran.code == 0
    with Document.open(saved) as document:
        assert document.composition.prompt == "a dog"
        assert list(document.results) == ["001", "cat-0", "cat-1"]


def test_saving_into_another_document_loses_nothing_in_it(
    standee: Run, daemon: type[FakeClient], saved: Path
) -> None:
    Path("scene.json").write_text('{"prompt": "a dog"}')
    assert standee("compose", "scene.json", "--save", saved, "-q").code == 0
    with Document.open(saved) as document:
        assert document.composition.prompt == "a dog"
        assert list(document.results) == ["001", "scene-0", "scene-1"]
    Path("notes.standee").write_text("not a document")
    ran = standee("compose", "scene.json", "--save", "notes.standee", "-q")
    assert ran.code == 2
    assert Path("notes.standee").read_text() == "not a document"


def test_a_picture_made_again_is_not_written_over_the_first(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("out.png").write_bytes(embed(PNG, {"composition": {}, "model": {"fingerprint": "2"}}))
    ran = standee("compose", "out.png", "-q")
    assert ran.out == "out-again-1.png\nout-again-2.png\n"
    assert "the model has changed" in ran.err


def test_ctrl_c_cancels_the_job_and_says_so(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", KeyboardInterrupt())
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (4, "Cancelled. The daemon has stopped the job.\n")
    assert [name for name, _ in daemon.calls] == ["submit", "wait", "cancel"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (JobCancelled("It was cancelled."), 4, "It was cancelled.\n"),
        (StandeeError("It failed."), 1, "Error: It failed.\n"),
    ],
)
def test_a_job_that_ends_without_a_picture_is_released_and_told(
    standee: Run,
    daemon: type[FakeClient],
    monkeypatch: pytest.MonkeyPatch,
    error: StandeeError,
    code: int,
    said: str,
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", error)
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (code, said)
    assert daemon.calls[-1][0] == "release"


def test_a_missing_picture_asks_where_it_is(
    standee: Run, daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("scene.json").write_text("{}")
    monkeypatch.setattr(daemon, "error", MissingBlob("A picture is missing."))
    ran = standee("compose", "scene.json", "-q")
    assert (ran.code, ran.err) == (
        2,
        "Error: A picture is missing. Say where it is: --pictures FOLDER.\n",
    )


@pytest.fixture
def cutter(daemon: type[FakeClient], monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """A daemon that answers with a mask."""
    mask = Result(job="12345678", width=3, height=2, data=PNG)
    monkeypatch.setattr(daemon, "wait", lambda *_: [mask])
    return daemon


def test_a_cut_out_is_asked_for_and_its_mask_written(
    standee: Run, cutter: type[FakeClient]
) -> None:
    Path("cat.png").write_bytes(PNG)
    ran = standee("cutout", "cat.png", "--box", "1,2,30,40", "-q")
    assert (ran.code, ran.out) == (0, "cat-mask.png\n")
    assert Path("cat-mask.png").read_bytes() == PNG
    [(_, spec)] = [call for call in cutter.calls if call[0] == "submit"]
    assert spec.box == Rect(1, 2, 30, 40)


def test_a_cut_out_is_asked_for_by_words_and_points(standee: Run, cutter: type[FakeClient]) -> None:
    Path("table.png").write_bytes(PNG)
    asked = ("--words", "a red mug", "--inside", "3,4", "--inside", "5,6", "--outside", "7.5,8")
    ran = standee("cutout", "table.png", *asked, "--model", "a/sam", "--finder", "b/dino", "-q")
    assert ran.code == 0, ran.err
    [(_, spec)] = [call for call in cutter.calls if call[0] == "submit"]
    assert (spec.words, spec.model, spec.finder) == ("a red mug", "a/sam", "b/dino")
    assert spec.points == (Point(3, 4), Point(5, 6), Point(7.5, 8, inside=False))
    ran = standee("cutout", "table.png", "--inside", "here")
    assert ran.code == 2
    assert "x,y" in ran.err


def test_options_override_the_composition() -> None:
    composition = with_options(
        Composition(), prompt="a dog", size=(512, 384), seed=5, steps=8, count=3, guidance=None
    )
    assert composition.prompt == "a dog"
    assert (composition.canvas.width, composition.canvas.height) == (512, 384)
    sampling = composition.sampling
    assert (sampling.seed, sampling.steps, sampling.count, sampling.guidance) == (5, 8, 3, None)
    with pytest.raises(InvalidField) as caught:
        with_options(Composition(), steps=201)
    assert caught.value.path == "$.sampling.steps"


def test_a_models_folder_is_named_so_that_the_daemon_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/model_index.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert with_options(Composition(), model="mine").sampling.model == str(tmp_path / "mine")
    assert with_options(Composition(), model="mini").sampling.model == "mini"
    hub = "black-forest-labs/FLUX.1-dev"
    assert with_options(Composition(), model=hub).sampling.model == hub


def test_loras_come_with_weights_and_replace_those_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toon.safetensors").touch()
    given = ("toon.safetensors:0.5", "someone/some-lora", "C:\\loras\\ink.safetensors:-1")
    composition = with_options(Composition(), loras=tuple(parse_lora(text) for text in given))
    assert composition.sampling.loras == (
        Lora(str(tmp_path / "toon.safetensors"), 0.5),
        Lora("someone/some-lora", 1.0),
        Lora("C:\\loras\\ink.safetensors", -1.0),
    )
    assert parse_lora("C:\\loras\\ink.safetensors") == Lora("C:\\loras\\ink.safetensors", 1.0)
    assert with_options(composition, steps=3).sampling.loras == composition.sampling.loras
    assert with_options(composition, no_loras=True).sampling.loras == ()
    with pytest.raises(InvalidField) as caught:
        with_options(Composition(), loras=(parse_lora("toon.safetensors:9"),))
    assert caught.value.path == "$.sampling.loras[0].weight"


def test_control_pictures_replace_those_of_the_document_and_travel_with_the_job(
    standee: Run, daemon: type[FakeClient]
) -> None:
    Path("near, far.png").write_bytes(PNG)
    Path("scene.json").write_text('{"control": [{"kind": "pose", "picture": "near, far.png"}]}')
    digest = hashlib.sha256(PNG).hexdigest()

    def composed(*options: str) -> tuple[Control, ...]:
        daemon.calls.clear()
        assert standee("compose", "scene.json", "-o", "out.png", "-q", *options).code == 0
        assert digest in daemon.sent
        return daemon.calls[0][1].control

    assert composed() == (Control("pose", digest),)
    given = "depth=near, far.png,strength=0.8,end=0.5", "normal=near, far.png"
    changed = composed("--control", given[0], "--control", given[1])
    assert changed == (Control("depth", digest, 0.8, 0.0, 0.5), Control("normal", digest))
    assert composed("--no-control") == ()


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ("depth", "KIND=FILE"),
        ("edges=a.png", "depth, normal, lines, pose"),
        ("depth=gone.png", "no picture 'gone.png'"),
        ("depth=a.png,end=late", "'late' is no number"),
        ("depth=a.png,mood=1", "no picture"),
        ("depth=a.png,strength=3", "$.control[0].strength"),
        ("depth=a.png,start=1,end=0.5", "$.control[0].end"),
    ],
)
def test_a_wrong_control_picture_is_refused_with_the_way(
    standee: Run, daemon: type[FakeClient], said: str, way: str
) -> None:
    Path("a.png").write_bytes(PNG)
    Path("scene.json").write_text("{}")
    ran = standee("compose", "scene.json", "--control", said)
    assert ran.code == 2
    assert way in " ".join(ran.err.split())
    assert daemon.calls == []


def test_a_lora_without_a_path_is_refused(standee: Run) -> None:
    ran = standee("compose", "scene.json", "--lora", ":0.5")
    assert ran.code == 2
    assert "PATH:WEIGHT" in ran.err
