"""Models of the hub come onto this machine: by `standee models download`, and when a job names one."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from standee import Canvas, Client, Composition, Lora, Sampling
from standee.errors import DownloadNeeded, JobCancelled, UnknownModel
from standee.wire.events import Event, Progress
from standee.wire.messages import Cutout
from support import single_files
from support.daemons import Running
from support.hub_server import COMMIT, Hub
from support.networks.salient import save_salient

NAME = "someone/tiny-klein"


@pytest.fixture(scope="module")
def served(tiny_model) -> Iterator[Hub]:
    """A hub with one model."""
    hub = Hub(NAME, tiny_model("klein"))
    yield hub
    hub.close()


@pytest.fixture
def hub(served: Hub) -> Hub:
    """The hub as at the start; beside its model's weights lie copies that nobody needs."""
    served.reset()
    big = "transformer/diffusion_pytorch_model.safetensors"
    served.files["transformer/diffusion_pytorch_model.fp16.safetensors"] = b"half"
    served.files["all-in-one.safetensors"] = b"whole"
    served.files["transformer/pytorch_model.bin"] = b"pickle"
    assert len(served.files[big]) > 2**17
    return served


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """Where downloads lie."""
    return tmp_path_factory.mktemp("cache") / "hf"


@pytest.fixture
def surroundings(hub: Hub, cache: Path) -> dict[str, str]:
    """The environment of a process that downloads from the hub, of which nothing is here."""
    shutil.rmtree(cache, ignore_errors=True)
    known = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return known | {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(cache)}


@pytest.fixture
def get(surroundings):
    """Run `standee models download` in a process of its own."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "standee_cli.main",
            "models",
            "download",
            *arguments,
            "--json",
        ]
        environment = surroundings | more
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    return run


def store(surroundings: dict[str, str]) -> Path:
    return Path(surroundings["HF_HOME"]) / "hub" / f"models--{NAME.replace('/', '--')}"


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)["error"]


BIG = "transformer/diffusion_pytorch_model.safetensors"


def test_a_model_comes_whole_and_without_its_other_copies(hub, get, surroundings) -> None:
    done = get(NAME, "--yes")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["path"])
    assert folder == store(surroundings) / "snapshots" / COMMIT
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    beside = {
        "all-in-one.safetensors",
        "transformer/pytorch_model.bin",
        "transformer/diffusion_pytorch_model.fp16.safetensors",
    }
    assert here == set(hub.files) - beside
    assert all((folder / name).read_bytes() == hub.files[name] for name in here)
    hub.ranges.clear()
    assert get(NAME, "--yes").returncode == 0
    assert hub.ranges == [], "what is here is not downloaded again"


@pytest.mark.parametrize("named", [NAME, f"{NAME}/onnx/model_fp16.onnx"])
def test_of_a_repository_of_networks_one_comes(hub, get, tmp_path, named: str) -> None:
    """The usual one or the one that is named, and what tells how it wants its pictures."""
    network = save_salient(tmp_path / "n.onnx", level=-8.0).read_bytes()
    told = b'{"image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}'
    hub.files = {
        "config.json": b"{}",
        "preprocessor_config.json": told,
        "onnx/model.onnx": network,
        "onnx/model_fp16.onnx": network,
    }
    refused = get(named)
    assert "licence" in error_of(refused)["message"]
    done = get(named, "--yes")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["path"])
    one = "onnx/model_fp16.onnx" if named.endswith(".onnx") else "onnx/model.onnx"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert here == {"config.json", "preprocessor_config.json", one}
    assert (folder / one).read_bytes() == network


def test_a_broken_connection_is_taken_up_where_it_broke(hub, get) -> None:
    hub.files[BIG] += bytes(2**24)
    hub.cut = {BIG: 12 * 2**20}
    assert get(NAME, "--yes").returncode == 0
    first, second = (start for name, start in hub.ranges if name == BIG)
    assert (first, second) == (0, 10 * 2**20), "the last whole chunk before the break"


def test_a_download_that_was_killed_goes_on_where_it_was(hub, get, surroundings) -> None:
    hub.files[BIG] += bytes(2**24)
    hub.pause = 0.02
    command = [sys.executable, "-m", "standee_cli.main", "models", "download", NAME, "--yes"]
    process = subprocess.Popen(command, env=surroundings, stderr=subprocess.DEVNULL)

    def begun() -> int:
        return sum(part.stat().st_size for part in store(surroundings).glob("blobs/*.part"))

    deadline = time.monotonic() + 60
    while begun() < 2**22:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    hub.pause, have = 0.0, begun()
    hub.ranges.clear()
    assert get(NAME, "--yes").returncode == 0
    [start] = [start for name, start in hub.ranges if name == BIG]
    assert start == have
    assert not list(store(surroundings).glob("blobs/*.part"))


def test_a_wrong_checksum_is_refused_and_the_next_try_starts_anew(hub, get, surroundings) -> None:
    hub.damaged = {BIG}
    error = error_of(get(NAME, "--yes"))
    assert (error["code"], error["retryable"]) == ("download-failed", True)
    assert BIG in error["message"]
    assert "checksum" in error["message"]
    assert not list(store(surroundings).glob("blobs/*.part"))
    assert not (store(surroundings) / "refs" / "main").exists(), "it does not count as here"
    hub.damaged = set()
    assert get(NAME, "--yes").returncode == 0


def test_a_gated_model_says_where_to_accept_and_how_to_log_in(hub, get) -> None:
    hub.token = "hf_secret"
    error = error_of(get(NAME, "--yes"))
    assert "has to be accepted" in error["message"]
    assert f"https://huggingface.co/{NAME}" in error["fix"]
    assert "hf auth login" in error["fix"]
    assert get(NAME, "--yes", HF_TOKEN="hf_secret").returncode == 0


def test_the_licence_is_shown_and_nothing_comes_before_it_is_accepted(hub, get) -> None:
    done = get(NAME)
    assert done.returncode == 2
    assert "apache-2.0" in done.stderr
    assert "https://example.com/licence" in done.stderr
    assert "--yes" in error_of(done)["fix"]
    assert hub.ranges == []


def test_offline_and_unknown_models_are_one_clear_error(hub, get) -> None:
    offline = error_of(get(NAME, "--yes", HF_HUB_OFFLINE="1"))
    assert "works offline" in offline["message"]
    assert f"standee models download {NAME}" in offline["fix"]
    unknown = error_of(get("nobody/nothing", "--yes"))
    assert "no model nobody/nothing" in unknown["message"]
    away = error_of(get(NAME, "--yes", HF_ENDPOINT="http://127.0.0.1:1"))
    assert "cannot be downloaded" in away["message"]


BRING = """
import sys
from standee.errors import StandeeError
from standee_backend.catalog import lora_files
for path in sys.argv[1:]:
    try:
        print(lora_files.bring(path, "$.sampling.loras[0].path"))
    except StandeeError as error:
        print(error)
"""


def test_of_a_repository_of_loras_only_the_named_one_comes(hub, surroundings, tmp_path) -> None:
    for name in ("ink", "toon"):
        save_file({f"transformer.{name}.lora_A.weight": torch.zeros(2, 2)}, tmp_path / name)
        hub.files[f"{name}.safetensors"] = (tmp_path / name).read_bytes()
    hub.files["adapter_config.json"] = b'{"lora_alpha": 4}'
    del hub.files["all-in-one.safetensors"]
    asked = [NAME, f"{NAME}/ink.safetensors", f"{NAME}/other.safetensors"]
    command = [sys.executable, "-c", BRING, *asked]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    several, ink, other = done.stdout.splitlines()
    assert "ink.safetensors, toon.safetensors" in several
    assert "$.sampling.loras[0].path" in several
    assert Path(ink).read_bytes() == hub.files["ink.safetensors"]
    assert "no file other.safetensors" in other
    assert Path(ink).with_name("adapter_config.json").exists(), "where PEFT says how strong it is"
    assert {name for name, _ in hub.ranges} == {"ink.safetensors", "adapter_config.json"}


# -- in a job ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tiny_model, tmp_path_factory) -> Path:
    """The home, everyone's, in which `mine` is a file whose base is on the hub."""
    folder = tmp_path_factory.mktemp("downloads")
    file = single_files.save_safetensors(tiny_model("klein"), folder / "klein.safetensors")
    home = folder / "home"
    home.mkdir()
    said = f"[models.mine]\npath = {json.dumps(str(file))}\nbase = {json.dumps(NAME)}\n"
    (home / "models.toml").write_text(said)
    return home


@pytest.fixture(scope="module")
def running(served, cache, home) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", served.endpoint)
        patch.setenv("HF_HOME", str(cache))
        patch.setenv("STANDEE_HOME", str(home))
        running = Running(home, toy=False).start()
    yield running
    running.stop()


@pytest.fixture
def daemon(running, surroundings) -> Running:
    """A daemon that downloads from the hub, of which nothing is here."""
    return running


def follow(client: Client, job: str, stop: Callable[[Event], bool]) -> list[Progress]:
    """Return how a download goes, until `stop` says so or the job ends."""
    seen: list[Progress] = []

    def watch(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "downloading":
            seen.append(event)
            if stop(event):
                client.cancel(job)

    client.wait(job, watch)
    return seen


def test_nothing_is_downloaded_without_a_yes_and_what_it_is_about_is_told(
    hub, daemon, get, surroundings
) -> None:
    composition = Composition(canvas=Canvas(64, 48), sampling=Sampling(model=NAME, steps=1))
    with daemon.client() as client:
        with pytest.raises(DownloadNeeded, match="is not on this machine") as caught:
            client.submit(composition)
        assert (caught.value.path, caught.value.code) == ("$.sampling.model", "download-needed")
        lora = Composition(sampling=Sampling(loras=(Lora("someone/ink"),)))
        with pytest.raises(DownloadNeeded) as caught:
            client.submit(lora)
        assert caught.value.path == "$.sampling.loras[0].path"
        words = Cutout(client.put_blob(b"a picture"), words="a cat")
        with pytest.raises(DownloadNeeded) as caught:
            client.submit(words)
        assert caught.value.path == "$.finder"
        assert hub.headers == [], "the hub is not even asked"
        [offer] = client.downloads(composition)
        assert (offer.repository, offer.licence) == (NAME, "apache-2.0")
        assert offer.licence_url == "https://example.com/licence"
        assert get(NAME, "--yes").returncode == 0
        assert client.downloads(composition) == ()
        [made] = client.compose(composition)
    [cached] = [one for one in made.notes if one.code == "model-cached"]
    assert cached.values == {"model": NAME, "commit": COMMIT[:12]}
    assert made.receipt["notes"][0]["code"] == "model-cached"


def test_a_job_downloads_its_model_is_cancelled_meanwhile_and_another_goes_on(
    hub, daemon, surroundings
) -> None:
    composition = Composition(
        canvas=Canvas(64, 48), prompt="a cat", sampling=Sampling(model=NAME, steps=1)
    )
    hub.pause = 0.3
    with daemon.client() as client:
        job = client.submit(composition, download=True)
        with pytest.raises(JobCancelled):
            follow(client, job, lambda event: event.step > 0)
        assert not (store(surroundings) / "refs").exists(), "it does not count as here yet"
        hub.pause = 0.0
        seen = follow(client, client.submit(composition, download=True), lambda _: False)
    assert 0 < seen[0].step <= seen[-1].step <= seen[-1].of
    beside = ("all-in-one.safetensors", "transformer/pytorch_model.bin")
    wanted = [name for name in hub.files if name not in beside and ".fp16." not in name]
    assert seen[-1].of == sum(len(hub.files[name]) for name in wanted)


TEXT_ENCODER = "text_encoder/model.safetensors"
AUTOENCODER = "vae/diffusion_pytorch_model.safetensors"


def test_the_base_of_a_file_comes_without_its_own_transformer(hub, daemon) -> None:
    with daemon.client() as client:

        def pixels(model: str) -> bytes:
            sampling = Sampling(model=model, steps=1)
            [made] = client.compose(
                Composition(canvas=Canvas(64, 48), sampling=sampling), download=True
            )
            return Image.open(io.BytesIO(made.data)).tobytes()

        picture = pixels("mine")
        asked = {name for name, _ in hub.ranges}
        assert "transformer/config.json" in asked
        assert {n for n in asked if n.endswith(".safetensors")} == {TEXT_ENCODER, AUTOENCODER}
        hub.ranges.clear()
        assert pixels("mine") == picture
        assert hub.ranges == [], "what is here is not downloaded again"
        assert pixels(NAME) == picture
        assert {name for name, _ in hub.ranges} == {BIG}, "named itself, it comes whole"


def test_the_base_of_a_file_comes_ahead_of_time_too(hub, home, get) -> None:
    done = get("mine", "--yes", STANDEE_HOME=str(home))
    assert done.returncode == 0, done.stderr
    weights = {name for name, _ in hub.ranges if name.endswith(".safetensors")}
    assert weights == {TEXT_ENCODER, AUTOENCODER}


def test_a_job_whose_model_cannot_be_had_fails_with_what_to_do(hub, daemon) -> None:
    hub.token = "hf_secret"
    with (
        daemon.client() as client,
        pytest.raises(UnknownModel, match="has to be accepted") as caught,
    ):
        client.compose(
            Composition(canvas=Canvas(64, 48), sampling=Sampling(model=NAME)), download=True
        )
    assert caught.value.path == "$.sampling.model"
    assert "hf auth login" in caught.value.fix
