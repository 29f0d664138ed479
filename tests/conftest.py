"""Fixtures that every folder of tests may use."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # torch's threads of several processes wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import tiny_models
from support.tiny import flux, krea2


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person watch: `pytest tests/desktop_app --headed`."""
    parser.addoption("--headed", action="store_true", help="show the editor's windows")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of large reference material beside the checkout, which a clone may lack."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the reference material in {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return `make(kind)`: the folder of a tiny random checkpoint, made once. Tests do not write into it."""

    def parts() -> tuple[object, object]:
        return tiny_models.make_tokenizer(), tiny_models.video_autoencoder()

    kinds = {
        "krea2": lambda folder: krea2.save_krea2(folder, *parts(), distilled=False),
        "krea2-turbo": lambda folder: krea2.save_krea2(folder, *parts(), distilled=True),
        "flux": lambda folder: flux.save_flux(folder, guided=True),
        "schnell": lambda folder: flux.save_flux(folder, guided=False),
        "kontext": lambda folder: flux.save_flux(folder, guided=True, kontext=True),
        "flux2-dev": tiny_models.save_flux2_dev,
        "klein": lambda folder: tiny_models.save_klein(folder, distilled=True),
        "klein-base": lambda folder: tiny_models.save_klein(folder, distilled=False),
        "z-image": lambda folder: tiny_models.save_z_image(folder, shift=6.0),
        "qwen-image": lambda folder: tiny_models.save_qwen_image(folder, edit=False),
        "qwen-edit": lambda folder: tiny_models.save_qwen_image(folder, edit=True),
        "z-image-turbo": lambda folder: tiny_models.save_z_image(folder, shift=3.0),
    }
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = kinds[kind](tmp_path_factory.mktemp("models") / kind)
        return made[kind]

    return make
