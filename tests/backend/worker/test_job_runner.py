"""What a worker does: progress, previews, receipts, cancellation, and one model kept loaded."""

from __future__ import annotations

import io
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image

from standee import Canvas, Composition, Layer, Lora, Rect, Sampling
from standee.errors import JobCancelled, UnknownModel
from standee.wire.events import Preview, Progress, Result
from standee.wire.messages import Cutout, Point
from standee_backend.catalog import catalog, lora_files
from standee_backend.engine.cutout import text_detection
from standee_backend.hardware.load_presets import GIB
from standee_backend.hardware.options import Options
from standee_backend.worker import job_runner, step_observer
from standee_backend.worker.job_runner import JobRunner
from standee_backend.worker.memory_planner import MemoryPlanner
from support import tiny
from support.networks import pretrained
from support.networks.salient import save_salient

CPU = Options(device="cpu")


@pytest.fixture(scope="module")
def runner() -> JobRunner:
    return JobRunner(CPU)


@pytest.fixture(scope="module")
def mini_lora(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("loras") / "mini.safetensors"
    return tiny.save_lora(file, catalog.MINI, targets=r".*attn\.to_[qv]")


@pytest.fixture
def composition(shelf) -> Composition:
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(32, 32, 64, 64))
    return Composition(
        canvas=Canvas(128, 128),
        prompt="a meadow",
        layers=(layer,),
        sampling=Sampling(steps=3, seed=5, count=2),
    )


@pytest.fixture
def tiny_composition(composition, tiny_flux) -> Composition:
    """The same on a model that is loaded at once, for tests with a runner of their own."""
    return replace(composition, sampling=replace(composition.sampling, model=str(tiny_flux)))


def run(runner: JobRunner, *job) -> list[Result]:
    return [finish() for finish in runner.run(*job)]


def test_several_pictures_come_with_consecutive_seeds(runner, shelf, composition) -> None:
    first, second = run(runner, composition, None, shelf.read, lambda _: None, lambda: False)
    assert (first.seed, second.seed) == (5, 6)
    assert Image.open(io.BytesIO(first.data)).size == (first.width, first.height) == (128, 128)
    assert first.data != second.data


def test_a_receipt_makes_the_same_pixels_again(runner, shelf, composition) -> None:
    _, second = run(runner, composition, None, shelf.read, lambda _: None, lambda: False)
    again = msgspec.convert(second.receipt["composition"], Composition)
    [repeated] = run(runner, again, None, shelf.read, lambda _: None, lambda: False)
    assert _pixels(repeated.data) == _pixels(second.data)
    assert second.receipt["model"]["fingerprint"]
    assert second.receipt["versions"]["torch"]
    assert second.receipt["notes"] == msgspec.to_builtins(second.notes)
    assert [about.code for about in second.notes] == ["memory-plan"]


def test_a_banner_of_one_row_of_cells_is_painted(runner, shelf) -> None:
    banner = Composition(canvas=Canvas(1024, 16), prompt="a beach", sampling=Sampling(steps=2))
    reports: list[Progress | Preview] = []
    [output] = run(runner, banner, None, shelf.read, reports.append, lambda: False)
    assert (output.width, output.height) == (1024, 16)
    assert any(isinstance(report, Preview) for report in reports)


def test_a_preview_or_a_version_that_cannot_be_had_costs_no_picture(
    runner, shelf, composition, monkeypatch, caplog
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("no kernel")

    def unknown(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(step_observer, "encode_preview", fail)
    monkeypatch.setattr(job_runner, "version", unknown)
    reports: list[Progress | Preview] = []
    outputs = run(runner, composition, None, shelf.read, reports.append, lambda: False)
    assert len(outputs) == 2
    assert outputs[0].receipt["versions"]["torch"] == ""
    assert not any(isinstance(report, Preview) for report in reports)
    assert "no kernel" in caplog.text


def test_progress_counts_the_steps_of_all_pictures(runner, shelf, composition) -> None:
    reports: list[Progress | Preview] = []
    run(runner, composition, None, shelf.read, reports.append, lambda: False)
    steps = [r for r in reports if isinstance(r, Progress) and r.stage == "denoising"]
    assert [(r.step, r.of) for r in steps] == [(k, 6) for k in range(1, 7)]
    assert steps[-1].eta == 0
    previews = [r for r in reports if isinstance(r, Preview)]
    assert previews
    assert Image.open(io.BytesIO(previews[0].data)).size == (64, 64), "half the picture's sides"


def test_stages_are_told_as_they_begin(shelf, tiny_composition) -> None:
    reports: list[Progress | Preview] = []
    [layer] = tiny_composition.layers
    other = replace(layer, picture=shelf.disc("blue", 64), rect=Rect(0, 0, 48, 48))
    two = replace(tiny_composition, layers=(layer, other))
    job = two, None, shelf.read, reports.append, lambda: False
    run(JobRunner(CPU), *job)
    told = [(r.stage, r.step, r.of) for r in reports if isinstance(r, Progress)]
    assert told[:4] == [("fitting", 0, 1), ("fitting", 1, 1), ("loading", 0, 1), ("words", 0, 1)]
    assert [one for one in told if one[0] == "reading"] == [("reading", 1, 2), ("reading", 2, 2)]
    assert told[-1] == ("finishing", 0, 1)


def test_a_memory_exhausted_by_decoding_costs_no_picture(shelf, tiny_composition) -> None:
    def exhausted(*_) -> None:
        raise torch.OutOfMemoryError("no room")

    runner = JobRunner(CPU)
    job = runner.run(tiny_composition, None, shelf.read, lambda _: None, lambda: False)
    first = next(job)
    assert runner.loaded is not None
    runner.loaded.family.decode_latents = exhausted
    made = [finish() for finish in (first, *job)]
    assert [output.seed for output in made] == [5, 6]
    assert [output.receipt["model"]["preset"] for output in made] == ["32 bits", "16 bits"]


def test_a_cancelled_job_stops_within_one_step(runner, shelf, composition) -> None:
    reports: list[Progress | Preview] = []

    def after_two() -> bool:
        return sum(isinstance(r, Progress) and r.stage == "denoising" for r in reports) >= 2

    with pytest.raises(JobCancelled):
        run(runner, composition, None, shelf.read, reports.append, after_two)
    assert sum(isinstance(r, Progress) and r.stage == "denoising" for r in reports) == 2


@pytest.mark.parametrize("part", ["text_encoder_2", "vae"])
def test_a_job_is_cancelled_in_the_middle_of_its_words_and_of_its_pixels(
    shelf, tiny_composition, part: str
) -> None:
    """And the next one is as if it had never been."""
    runner, words = JobRunner(CPU), replace(tiny_composition, prompt="a lake")
    [expected, *_] = run(runner, words, None, shelf.read, lambda _: None, lambda: False)
    runner.loaded = None
    run(runner, tiny_composition, None, shelf.read, lambda _: None, lambda: False)
    network = getattr(runner.loaded.family.pipeline, part)
    lists = [one for one in network.modules() if isinstance(one, torch.nn.ModuleList)]
    blocks = [block for one in lists for block in one]
    entered: list[object] = []
    hooks = [
        block.register_forward_pre_hook(lambda one, _: entered.append(one)) for block in blocks
    ]
    with pytest.raises(JobCancelled):
        run(runner, words, None, shelf.read, lambda _: None, lambda: bool(entered))
    assert len(entered) == 1 < len(blocks)
    for hook in hooks:
        hook.remove()
    [after, *_] = run(runner, words, None, shelf.read, lambda _: None, lambda: False)
    assert _pixels(after.data) == _pixels(expected.data)


def test_a_job_is_cancelled_before_its_next_picture_is_read(shelf, tiny_composition) -> None:
    read: list[str] = []
    [layer] = tiny_composition.layers
    other = replace(layer, picture=shelf.disc("blue", 64), rect=Rect(0, 0, 48, 48))
    two = replace(tiny_composition, layers=(layer, other))

    def reads(digest: str) -> bytes:
        read.append(digest)
        return shelf.read(digest)

    with pytest.raises(JobCancelled):
        run(JobRunner(CPU), two, None, reads, lambda _: None, lambda: bool(read))
    assert len(read) == 1


def test_a_model_is_loaded_once(runner, shelf, composition) -> None:
    reports: list[Progress | Preview] = []
    run(runner, composition, None, shelf.read, lambda _: None, lambda: False)
    run(runner, composition, None, shelf.read, reports.append, lambda: False)
    assert not any(isinstance(r, Progress) and r.stage == "loading" for r in reports)


def test_a_jobs_loras_are_in_its_receipt_and_gone_after_it(
    runner, shelf, composition, mini_lora
) -> None:
    def make(job: Composition) -> list[Result]:
        return run(runner, job, None, shelf.read, lambda _: None, lambda: False)

    laid = msgspec.structs.replace(
        composition, sampling=Sampling(steps=3, seed=5, loras=(Lora(str(mini_lora), 0.5),))
    )
    plain, _ = make(composition)
    [other] = make(laid)
    assert _pixels(other.data) != _pixels(plain.data)
    [again] = make(msgspec.convert(other.receipt["composition"], Composition))
    assert _pixels(again.data) == _pixels(other.data)
    assert other.receipt["model"]["fingerprint"] != plain.receipt["model"]["fingerprint"]
    assert len(other.receipt["model"]["loras"]) == 1
    without, _ = make(composition)
    assert _pixels(without.data) == _pixels(plain.data)
    assert without.receipt["model"] == plain.receipt["model"]


def test_the_memory_of_a_jobs_loras_is_in_its_plan(shelf, composition, tmp_path) -> None:
    """There is room for the model and its pictures, and for half of the LoRA."""

    def preset(job: Composition) -> str:
        made = run(runner, job, None, shelf.read, lambda _: None, lambda: False)
        return made[0].receipt["model"]["preset"]

    file = tmp_path / "large.safetensors"
    tiny.save_lora(file, catalog.MINI, targets=r".*(attn\.to_[qkv]|proj_mlp)", rank=128)
    sampling = Sampling(steps=3, loras=(Lora(str(file)),))
    info = catalog.find("mini")
    plan = MemoryPlanner(CPU).plan(info, catalog.MINI, composition, [], {}, None)
    room = plan.need + 2 * lora_files.numbers(file)
    runner = JobRunner(msgspec.structs.replace(CPU, memory=room / GIB))
    assert preset(composition) == "32 bits"
    assert preset(msgspec.structs.replace(composition, sampling=sampling)) == "16 bits"


def test_the_tokens_of_a_job_serve_the_next_one_until_they_are_told_not_to(
    shelf, tiny_composition
) -> None:
    for gib, found in ((None, True), (0.0, False)):
        runner = JobRunner(Options(device="cpu", token_cache=gib))
        for _ in range(2):
            run(runner, tiny_composition, None, shelf.read, lambda _: None, lambda: False)
        assert runner.loaded is not None
        assert (runner.loaded.tokens.hits > 0) == found


def test_tokens_lie_on_disk_where_they_are_told_to(shelf, tiny_composition, tmp_path) -> None:
    def after(**options) -> JobRunner:
        runner = JobRunner(Options(device="cpu", token_cache=0, **options), tmp_path / "tokens")
        run(runner, tiny_composition, None, shelf.read, lambda _: None, lambda: False)
        if runner.files:
            runner.files.flush()
        assert runner.loaded is not None
        return runner

    after()
    assert not (tmp_path / "tokens").exists()
    captured = after(token_disk=1).loaded.tokens.misses
    assert len(list((tmp_path / "tokens").iterdir())) == captured
    pictures = tiny_composition.sampling.count  # of other seeds, which the same tokens serve
    assert after(token_disk=1).loaded.tokens.read == pictures * captured
    assert after(token_disk=1, dtype="bf16").loaded.tokens.misses == captured


def test_an_unknown_model_says_what_there_is(runner, shelf, composition) -> None:
    missing = msgspec.structs.replace(composition, sampling=Sampling(model="no-such-model"))
    with pytest.raises(UnknownModel) as caught:
        run(runner, missing, None, shelf.read, lambda _: None, lambda: False)
    assert caught.value.path == "$.sampling.model"
    assert "mini" in caught.value.fix


def test_a_cut_out_is_a_mask_as_large_as_the_picture(runner, shelf) -> None:
    pixels = np.full((90, 120, 3), 235, np.uint8)
    pixels[30:70, 40:80] = (200, 30, 30)
    spec = Cutout(picture=shelf.add(pixels), box=Rect(30, 20, 60, 60))
    [output] = run(runner, spec, None, shelf.read, lambda _: None, lambda: False)
    mask = np.asarray(Image.open(io.BytesIO(output.data)).convert("L"))
    assert mask.shape == (90, 120)
    assert mask[50, 60] > 200
    assert mask[10, 10] < 50


def test_a_cut_out_goes_on_from_a_mask_by_the_network_of_models_toml(
    runner, shelf, tmp_path, monkeypatch
) -> None:
    """What is red stands out to it; a mask and a click, by which it is not asked, add what is blue."""
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    network = save_salient(tmp_path / "isnet.onnx", level=-8.0)
    (tmp_path / "models.toml").write_text(f"[cutout]\nmodel = '{network}'\n")
    pixels = np.full((90, 120, 3), (60, 130, 60), np.uint8)
    pixels[5:40, 5:40] = (210, 40, 30)
    pixels[50:80, 70:110] = (40, 60, 210)
    told: list[Progress | Preview] = []
    spec = Cutout(picture=shelf.add(pixels))
    [first] = run(runner, spec, None, shelf.read, told.append, lambda: False)
    mask = np.asarray(Image.open(io.BytesIO(first.data)).convert("L"))
    assert mask[20, 20] > 200
    assert mask[65, 90] < 50
    assert {one.stage for one in told if isinstance(one, Progress)} == {"cutout"}
    spec = Cutout(picture=spec.picture, mask=shelf.add(mask), points=(Point(90, 65),))
    [second] = run(runner, spec, None, shelf.read, told.append, lambda: False)
    mask = np.asarray(Image.open(io.BytesIO(second.data)).convert("L"))
    assert mask[20, 20] > 200
    assert mask[65, 90] > 200
    with pytest.raises(JobCancelled):
        run(runner, spec, None, shelf.read, told.append, lambda: True)


def test_a_cut_out_by_words_goes_through_both_networks(
    runner, shelf, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(text_detection, "SURE", 0.0)
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    spec = Cutout(
        picture=shelf.add(pixels),
        words="a red mug",
        finder=str(pretrained.save_finder(tmp_path / "finder")),
        model=str(pretrained.save_sam2(tmp_path / "sam2")),
    )
    asked: list[bool] = []
    cancelled = lambda: asked.append(False) or False  # noqa: E731
    [output] = run(runner, spec, None, shelf.read, lambda _: None, cancelled)
    assert len(asked) > 20, "before each block of both, whether it shall go on"
    assert (output.width, output.height) == (128, 96)
    assert np.asarray(Image.open(io.BytesIO(output.data)).convert("L")).any()


def _pixels(png: bytes) -> bytes:
    return Image.open(io.BytesIO(png)).tobytes()
