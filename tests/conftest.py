"""Fixtures that every folder of tests may use."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # torch's threads of several processes wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import tiny


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person watch: `pytest tests/desktop_app --headed`."""
    parser.addoption("--headed", action="store_true", help="show the editor's windows")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: begun at the end, one would keep a single worker busy alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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

    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny.KINDS[kind](tmp_path_factory.mktemp("models") / kind)
        return made[kind]

    return make


@pytest.fixture(scope="session")
def tiny_net(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return `make(kind)`: the folder of a tiny random control net, made once. Tests do not write into it."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny.NETS[kind](tmp_path_factory.mktemp("nets") / kind)
        return made[kind]

    return make
