"""The command line as a person uses it, on a real daemon."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from standee import Document
from standee.document.receipt import extract
from support.daemons import ROOTS, Running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

Ran = subprocess.CompletedProcess[str]
Run = Callable[..., Ran]


def environment(home: Path) -> dict[str, str]:
    paths = os.pathsep.join([*ROOTS, os.environ.get("PYTHONPATH", "")])
    return os.environ | {"STANDEE_HOME": str(home), "PYTHONPATH": paths}


def started(home: Path, folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "standee_cli.main", *map(str, arguments)],
        cwd=folder,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def runner(home: Path, folder: Path) -> Run:
    def run(*arguments: str | Path) -> Ran:
        process = started(home, folder, *arguments)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return run


@pytest.fixture
def toy(daemon: Running, tmp_path: Path) -> Run:
    """Run commands on a daemon whose worker does what the prompt says."""
    for prompt in ("slow", "fail", "refuse"):
        text = json.dumps({"prompt": prompt, "sampling": {"steps": 200 if prompt == "slow" else 4}})
        (tmp_path / f"{prompt}.json").write_text(text)
    return runner(daemon.home, tmp_path)


@pytest.fixture
def real(studio: Running, tmp_path: Path) -> Run:
    """Run commands on a daemon with the bundled model, in a folder with a small scene."""
    layer = {"picture": "robot.png", "rect": {"x": 32, "y": 32, "w": 64, "h": 80}}
    composition = {
        "canvas": {"width": 128, "height": 128},
        "prompt": "a meadow with a robot",
        "layers": [layer],
        "sampling": {"steps": 2, "seed": 5},
    }
    (tmp_path / "scene.json").write_text(json.dumps(composition))
    (tmp_path / "robot.png").write_bytes((EXAMPLES / "subjects/robot.png").read_bytes())
    return runner(studio.home, tmp_path)


def test_bench_reports_on_its_sample_and_goes_on_where_it_was(real, tmp_path):
    asked = ["bench", "--sample", "1", "--size", "64", "--steps", "1", "-o", "run"]
    first = real(*asked)
    assert first.returncode == 0, first.stderr
    assert "report: run/report.html" in first.stdout
    assert "identity" in first.stdout
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "run/pictures").rglob("*")}
    assert len([path for path in made if path.suffix == ".png"]) == 12
    report = json.loads(real(*asked, "--json").stdout)
    assert set(report["tables"]) == {"single"}
    assert {path: path.stat().st_mtime_ns for path in made} == made, "nothing is made twice"
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "openai/clip-vit-large-patch14 is not on this machine" in page
    assert real(*asked, "--size", "80").returncode == 2


def pixels(path: Path) -> bytes:
    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


# ---------------------------------------------------------------------------- jobs


def wait_until_it_runs(run: Run) -> str:
    """Return the id of the one job once a worker has it."""
    deadline = time.monotonic() + 30
    while True:
        jobs = json.loads(run("jobs", "--json").stdout)
        if [job["state"] for job in jobs] == ["running"]:
            return str(jobs[0]["job"])
        assert time.monotonic() < deadline, jobs


def test_ctrl_c_cancels_the_job_on_the_daemon(daemon: Running, toy: Run, tmp_path: Path) -> None:
    process = started(daemon.home, tmp_path, "compose", "slow.json")
    wait_until_it_runs(toy)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (4, "")
    assert err.endswith("Cancelled. The daemon has stopped the job.\n")
    [job] = json.loads(toy("jobs", "--json").stdout)
    assert job["state"] == "cancelled"


def test_a_job_is_cancelled_from_another_terminal_by_the_start_of_its_id(
    daemon: Running, toy: Run, tmp_path: Path
) -> None:
    process = started(daemon.home, tmp_path, "compose", "slow.json")
    job = wait_until_it_runs(toy)
    assert toy("cancel", job[:8]).stdout == f"Cancelled {job}.\n"
    _, err = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "The job was cancelled." in err


def test_a_job_that_nobody_has_is_told_as_such(toy: Run) -> None:
    for command in (["cancel", "1234"], ["jobs", "1234", "-o", "x.png"]):
        ran = toy(*command)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "No jobs of yours begin with '1234'" in ran.stderr


def test_a_failed_job_says_why_in_one_line(toy: Run) -> None:
    failed, refused = toy("compose", "fail.json", "-q"), toy("compose", "refuse.json", "-q")
    assert failed.returncode == 1
    assert "the toy was told to fail" in failed.stderr
    assert refused.returncode == 2
    assert "The toy dislikes the picture. ($.layers[0].picture)" in refused.stderr
    assert failed.stderr.count("\n") == refused.stderr.count("\n") == 1
    assert json.loads(toy("jobs", "--json").stdout) == [], "what was told is not kept"


def test_status_tells_people_and_programs_how_the_daemon_is(daemon: Running, toy: Run) -> None:
    assert daemon.process is not None
    told = json.loads(toy("status", "--json").stdout)
    assert (told["pid"], told["queued"], told["running"]) == (daemon.process.pid, 0, 0)
    assert f"process {daemon.process.pid}" in toy("status").stdout


def test_progress_is_a_line_of_json_for_each_event(toy: Run) -> None:
    ran = toy("compose", "fail.json", "--progress", "json")
    *lines, last = ran.stderr.splitlines()
    assert last.startswith("Error: ")
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds == ["queued", "started", "failed"]


def completed(home: Path, words: str, at: int) -> list[str]:
    """What the Tab key offers for the word number `at`."""
    asked = {"_STANDEE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    command = [sys.executable, "-m", "standee_cli.main"]
    environs = environment(home) | asked
    ran = subprocess.run(command, env=environs, capture_output=True, text=True, check=True)
    assert not ran.stderr
    return ran.stdout.split()


def test_the_tab_key_completes_models_jobs_and_folders_and_starts_nothing(
    daemon: Running, toy: Run, tmp_path: Path
) -> None:
    job = toy("compose", "slow.json", "--detach").stdout.strip()
    assert completed(daemon.home, "standee compose x.json --model mi", 4) == ["plain,mini"]
    assert completed(daemon.home, "standee compose x.json --model ./mo", 4) == ["dir,./mo"]
    assert completed(daemon.home, f"standee cancel {job[:4]}", 2) == [f"plain,{job}"]
    toy("cancel", job, "--hard")
    assert completed(daemon.home, f"standee jobs {job[:4]}", 2) == [f"plain,{job}"]
    assert completed(tmp_path / "nowhere", "standee jobs", 2) == []
    assert not (tmp_path / "nowhere").exists()


def test_serve_stop_stops_the_daemon(daemon: Running, toy: Run) -> None:
    assert daemon.process is not None
    assert toy("serve", "--stop").returncode == 0
    assert daemon.process.wait(15) == 0
    assert toy("status").returncode == 3
    daemon.start()


# ---------------------------------------------------------------------------- pictures


def test_a_composition_becomes_pictures_a_document_and_receipts_that_make_them_again(
    real: Run, tmp_path: Path
) -> None:
    made = real("compose", "scene.json", "-o", "out.png", "--count", "2", "--save", "all.standee")
    assert (made.returncode, made.stdout) == (0, "out-1.png\nout-2.png\n"), made.stderr
    assert "Composing" in made.stderr
    first, second = tmp_path / "out-1.png", tmp_path / "out-2.png"
    assert pixels(first) != pixels(second)
    assert extract(second.read_bytes())["composition"]["sampling"]["seed"] == 6

    for source in (".", "all.standee"):
        again = real("compose", "out-2.png", "--pictures", source, "-q")
        assert (again.returncode, again.stderr) == (0, "")
        assert pixels(tmp_path / "out-2-again.png") == pixels(second)

    with Document.open(tmp_path / "all.standee") as document:
        assert [extract(first.read_bytes())] == [document.results["scene-5"].receipt]
        stored = Image.open(io.BytesIO(document.results["scene-6"].data)).convert("RGB")
        assert stored.tobytes() == pixels(second)
    reopened = real("compose", "all.standee", "--count", "1", "-q", "-o", "third.png")
    assert reopened.returncode == 0
    assert pixels(tmp_path / "third.png") == pixels(first)


def test_options_change_the_picture(real: Run, tmp_path: Path) -> None:
    assert real("compose", "scene.json", "--size", "160x96", "--seed", "9", "-q").returncode == 0
    with Image.open(tmp_path / "scene.png") as picture:
        assert picture.size == (160, 96)


def test_a_rectangle_of_words_goes_through_the_daemon(real: Run, tmp_path: Path) -> None:
    rect = {"x": 32, "y": 32, "w": 64, "h": 64}
    given = {
        "canvas": {"width": 128, "height": 128},
        "prompt": "a beach at noon",
        "layers": [{"prompt": "an octopus", "rect": rect}],
        "sampling": {"steps": 2},
    }
    made = []
    for name, layers in (("words", given["layers"]), ("empty", [])):
        (tmp_path / f"{name}.json").write_text(json.dumps(given | {"layers": layers}))
        ran = real("compose", f"{name}.json", "-q")
        assert ran.returncode == 0, ran.stderr
        made.append(pixels(tmp_path / f"{name}.png"))
    assert made[0] != made[1]
    (tmp_path / "neither.json").write_text(json.dumps({"layers": [{"rect": rect}]}))
    ran = real("compose", "neither.json", "-q")
    assert ran.returncode == 2
    assert "neither a picture nor words" in ran.stderr


@pytest.mark.parametrize(
    ("options", "field"),
    [(["--model", "nowhere"], "$.sampling.model"), (["--size", "130"], "$.canvas")],
)
def test_what_the_daemon_refuses_is_one_line_with_its_field(
    real: Run, options: list[str], field: str
) -> None:
    ran = real("compose", "scene.json", "-q", *options)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert field in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_cut_out_is_a_mask_of_the_pictures_size(real: Run, tmp_path: Path) -> None:
    ran = real("cutout", EXAMPLES / "scenes/meadow.png", "--box", "128,128,256,256", "-q")
    assert (ran.returncode, ran.stdout) == (0, "meadow-mask.png\n"), ran.stderr
    with Image.open(tmp_path / "meadow-mask.png") as mask:
        assert mask.size == (512, 512)
        outside = Image.new("L", mask.size, "white")
        outside.paste("black", (120, 120, 392, 392))  # the mask's edge is soft
        assert ImageChops.multiply(mask.convert("L"), outside).getbbox() is None


def test_the_bundled_model_is_listed(real: Run) -> None:
    assert "mini" in [model["name"] for model in json.loads(real("models", "--json").stdout)]
