"""The nodes for ComfyUI, called as it calls them: with tensors, before a real daemon with a toy worker."""

import importlib.util
import inspect
import io
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from standee.errors import InvalidField, NotConnected, StandeeError
from support.daemons import Running

ROOT = Path(__file__).resolve().parents[3]
PACK = ROOT / "examples/comfyui/standee_nodes"


@pytest.fixture(scope="module")
def pack() -> Iterator[ModuleType]:
    """The nodes as ComfyUI loads them: the folder is a package of any name."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tests/support/comfyui"))
    spec = importlib.util.spec_from_file_location(
        "custom_standee_nodes", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["custom_standee_nodes"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before
    for name in [one for one in sys.modules if one.split(".")[0] in ("comfy", module.__name__)]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("nodes") / "home").serving() as running:
        yield running


@pytest.fixture
def bar(pack: ModuleType) -> list[tuple[float, float, Any]]:
    shown = sys.modules["comfy.utils"].ProgressBar.shown
    shown.clear()
    return shown


def call(pack: ModuleType, name: str, **given: Any) -> tuple[Any, ...]:
    """Call a node as ComfyUI does: what is required has its default, what is optional is left out."""
    node = pack.NODE_CLASS_MAPPINGS[name]
    required = node.INPUT_TYPES()["required"]
    usual = {each: said[1]["default"] for each, said in required.items() if "default" in said[1]}
    return getattr(node(), node.FUNCTION)(**(usual | given))


def compose(pack: ModuleType, daemon: Running, **given: Any) -> tuple[torch.Tensor, dict[str, Any]]:
    small = {"width": 64, "height": 32, "connection": str(daemon.file)}
    image, receipt = call(pack, "StandeeCompose", **(small | given))
    return image, json.loads(receipt)


def blob(daemon: Running, digest: str) -> np.ndarray:
    with daemon.client() as client:
        return np.asarray(Image.open(io.BytesIO(client.get_blob(digest))))


def test_every_node_is_what_comfyui_reads_of_it(pack: ModuleType) -> None:
    assert set(pack.NODE_CLASS_MAPPINGS) == set(pack.NODE_DISPLAY_NAME_MAPPINGS)
    for node in pack.NODE_CLASS_MAPPINGS.values():
        types = node.INPUT_TYPES()
        taken = inspect.signature(getattr(node, node.FUNCTION)).parameters
        named = {*types["required"], *types["optional"]}
        free = any(one.kind is one.VAR_KEYWORD for one in taken.values())
        assert free or named <= set(taken)
        assert set(taken) - {"self", "more"} <= named
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
        assert node.CATEGORY == "Standee"
        json.dumps(types)


def test_subjects_and_a_scene_become_a_batch_of_pictures(
    pack: ModuleType, daemon: Running, bar: list[Any]
) -> None:
    image, mask = torch.rand(1, 20, 30, 3), torch.zeros(1, 20, 30)
    mask[:, :, :10] = 1.0  # as Load Image has it: white is transparent
    [front] = call(
        pack, "StandeeSubject", image=image, mask=mask, x=8, z=5, prompt="a cat", light=1
    )
    [both] = call(
        pack, "StandeeSubject", image=torch.ones(1, 4, 4, 4), fidelity=1.0, subjects=front
    )
    kept = torch.zeros(1, 32, 64)
    kept[:, :16] = 1.0
    [scene] = call(pack, "StandeeScene", image=torch.rand(1, 32, 64, 3), mask=kept)
    pictures, receipt = compose(
        pack,
        daemon,
        prompt="drawn, whole receipt",
        subjects=both,
        scene=scene,
        seed=51,
        count=2,
        steps=3,
        negative="rain",
    )
    assert pictures.shape == (2, 32, 64, 3)
    assert pictures.dtype == torch.float32
    assert torch.equal(pictures[1], torch.full((32, 64, 3), 52 / 255))

    made = receipt["composition"]
    assert made["sampling"]["negative"] == "rain"
    back, cat = made["layers"]
    assert (back["fidelity"], cat["prompt"], cat["light"], cat["rect"]["x"]) == (1, "a cat", 1, 8)
    assert np.array_equal(blob(daemon, cat["picture"]), (image[0] * 255).round().byte().numpy())
    cut = blob(daemon, cat["mask"])
    assert (cut[:, :10] == 0).all()
    assert (cut[:, 10:] == 255).all()
    assert blob(daemon, back["picture"]).shape == (4, 4, 4)
    assert back["mask"] is None
    stays = blob(daemon, made["scene"]["kept"])
    assert (stays[:16] == 0).all()
    assert (stays[16:] == 255).all()
    assert bar[-1][:2] == (3, 3)
    with daemon.client() as client:
        assert client.jobs() == [], "what was made is not kept twice"


def test_a_mask_of_a_segmentation_node_marks_the_subject(pack: ModuleType) -> None:
    image, mask = torch.rand(1, 4, 4, 3), torch.zeros(1, 4, 4)
    mask[:, 0] = 1.0
    [[one]] = call(pack, "StandeeSubject", image=image, mask=mask, mask_white_is="subject")
    cut = np.asarray(Image.open(io.BytesIO(one.pictures[one.layer.mask])))
    assert cut[0].tolist() == [255] * 4
    assert not cut[1:].any()
    [[whole]] = call(pack, "StandeeSubject", image=image, mask=torch.zeros(1, 64, 64))
    assert whole.layer.mask is None, "a picture without transparency has no cut-out of its own"


def test_the_same_graph_is_the_same_job(pack: ModuleType) -> None:
    image = torch.rand(1, 4, 4, 3)
    one, same = (call(pack, "StandeeSubject", image=image)[0] for _ in "12")
    assert one == same


def test_comfyuis_interrupt_cancels_the_job(
    pack: ModuleType, daemon: Running, bar: list[Any]
) -> None:
    comfy = sys.modules["comfy.model_management"]

    def interrupt() -> None:
        while not bar:
            time.sleep(0.01)
        comfy.interrupted = True

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(comfy.InterruptProcessingException):
        compose(pack, daemon, prompt="slow", steps=200)
    watcher.join()
    with daemon.client() as client:
        deadline = time.monotonic() + 5
        while client.jobs()[-1].state != "cancelled":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        client.release(client.jobs()[-1].job)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"prompt": "refuse"}, "bad-picture"),
        ({"prompt": "fail"}, "job-failed"),
        ({"model": "no-such-model"}, "unknown-model"),
        ({"model": " "}, "invalid-field"),
        ({"width": 4096, "height": 8192}, "invalid-field"),
    ],
)
def test_what_goes_wrong_is_told_with_its_way_out(
    pack: ModuleType, daemon: Running, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(StandeeError) as caught:
        compose(pack, daemon, **given)
    assert caught.value.code == code


def test_what_is_no_single_picture_is_refused_by_name(pack: ModuleType) -> None:
    for image in (torch.rand(2, 4, 4, 3), torch.rand(1, 4, 4, 1), torch.rand(4, 4, 3)):
        with pytest.raises(InvalidField, match="The subject's image"):
            call(pack, "StandeeSubject", image=image)
    with pytest.raises(InvalidField, match="The scene's mask is a batch of 3"):
        call(pack, "StandeeScene", image=torch.rand(1, 4, 4, 3), mask=torch.zeros(3, 4, 4))


def test_a_daemon_elsewhere_is_named_by_its_file(
    pack: ModuleType, daemon: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(NotConnected, match="standee pair"):
        compose(pack, daemon, connection=str(tmp_path / "studio.json"))
    with pytest.raises(InvalidField, match="another computer"):
        compose(pack, daemon, connection=f"/{daemon.file}")
    monkeypatch.setenv("STANDEE_CONNECTION", str(daemon.file))
    image, _ = compose(pack, daemon, prompt="drawn", connection=" ")
    assert image.shape == (1, 32, 64, 3)


def test_notes_are_said_in_comfyuis_log(
    pack: ModuleType, daemon: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "standee"):
        compose(pack, daemon, prompt="drawn, noted")
    assert "Standee: The toy noted it." in caplog.text
