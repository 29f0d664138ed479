"""Fixtures with Blender as a module, and the built zip installed in it as an artist would.

Only where `bpy` is installed (`make test-blender`); elsewhere `../test_in_blender.py` says why not.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="standee-blender-"))

try:
    import bpy
except ImportError:
    bpy = None

PACKAGE = "bl_ext.user_default.standee"


def platform_here() -> str:
    """This machine as Blender calls it."""
    machines = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
    systems = {"linux": "linux", "win32": "windows", "darwin": "macos"}
    return f"{systems[sys.platform]}-{machines[platform.machine().lower()]}"


def install() -> None:
    """Build the zip of this platform and install it, before tests import the client from it."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import extension  # type: ignore[import-not-found]

    path = extension.build(platform_here(), Path(tempfile.mkdtemp(prefix="standee-zip-")))
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    bpy.ops.extensions.package_install_files(
        filepath=str(path), repo="user_default", enable_on_install=True
    )
    assert PACKAGE in bpy.context.preferences.addons


if bpy is not None and PACKAGE not in bpy.context.preferences.addons:
    install()
elif bpy is None:  # `test_in_blender.py` says so
    collect_ignore_glob = ["test_*.py", "**/test_*.py"]


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that a test expects is no crash: Blender raises the same for both, and shows its traceback."""
    expected = pytest.raises

    @contextmanager
    def raises(*kinds: Any, **more: Any) -> Iterator[Any]:
        with expected(*kinds, **more) as found:
            yield found
        assert "Traceback" not in str(found.value), str(found.value)

    monkeypatch.setattr(pytest, "raises", raises)


@pytest.fixture(scope="session")
def installed() -> Iterator[str]:
    """The name of the installed extension's package."""
    yield PACKAGE
    bpy.ops.preferences.addon_disable(module=PACKAGE)


@pytest.fixture
def addon(installed: str) -> Iterator[Any]:
    """Imports modules of the installed extension by name; a fresh file, a fresh link."""
    bpy.ops.wm.read_homefile(use_empty=False, use_factory_startup=True)
    if installed not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=installed)

    def module(name: str) -> ModuleType:
        return importlib.import_module(f"{installed}.{name}")

    for folder in ("results", "presets"):
        for file in module("storage").own_folder(folder).iterdir():
            file.unlink()
    module("storage").own_folder().joinpath("jobs.json").unlink(missing_ok=True)
    handlers = module("handlers")
    link = module("jobs.daemon_link").link()
    link.on_result, link.on_over = handlers.keep_result, module("jobs.frame_range").over
    preferences = bpy.context.preferences.addons[installed].preferences
    preferences.start_daemon = False
    preferences.connection_file = ""
    preferences.start_command = ""
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 256
    scene.render.resolution_percentage = 100
    scene.render.engine = "BLENDER_WORKBENCH"
    yield module
    module("jobs.daemon_link").drop()
    module("jobs.frame_range").current = None


@pytest.fixture
def standee(addon: Any) -> Any:
    """The composition of a fresh scene."""
    return bpy.context.scene.standee


@pytest.fixture
def png(addon: Any) -> Any:
    """Makes PNG files: `png(width, height, (r, g, b, a))`."""
    import numpy as np

    def make(width: int = 32, height: int = 32, colour: tuple[float, ...] = (1, 0, 0, 1)) -> bytes:
        pixels = np.tile(np.float32(colour), (height, width, 1))
        return addon("core.png").encode(pixels)

    return make


@pytest.fixture
def subject(tmp_path: Path, addon: Any) -> str:
    """The path of a red disc on nothing."""
    import numpy as np

    ys, xs = np.mgrid[:64, :64] - 31.5
    pixels = np.zeros((64, 64, 4), np.float32)
    pixels[..., 0] = 1
    pixels[..., 3] = xs * xs + ys * ys < 31 * 31
    path = tmp_path / "disc.png"
    path.write_bytes(addon("core.png").encode(pixels))
    return str(path)


@pytest.fixture
def daemon(addon: Any, png: Any, tmp_path: Path) -> Iterator[Any]:
    """A pretended daemon, and the extension set to find it."""
    module = importlib.import_module("tests.blender_addon.in_blender.pretend_daemon")
    running = module.PretendDaemon(tmp_path / "home", png(64, 64, (0, 0.5, 1, 1))).start()
    package = addon("storage").__name__.rpartition(".")[0]
    bpy.context.preferences.addons[package].preferences.connection_file = str(running.file)
    yield running
    running.stop()


@pytest.fixture
def until(addon: Any) -> Any:
    """Ticks the link until a condition holds."""
    module = importlib.import_module("tests.blender_addon.in_blender.pretend_daemon")
    return lambda condition: module.wait(addon("jobs.daemon_link").link().tick, condition)


@pytest.fixture
def stand(standee: Any) -> Any:
    """A sphere aside the middle, seen by the default camera; returns it."""
    for one in list(bpy.context.scene.objects):
        if one.type == "MESH":
            bpy.data.objects.remove(one)
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0.8, 0.5, 0.3))
    return bpy.context.object


@pytest.fixture
def ready(standee: Any, subject: str, daemon: Any) -> Any:
    """The composition of a scene with one subject and a prompt; a daemon runs."""
    bpy.ops.standee.add_files(filepath=subject)
    standee.prompt = "a red disc"
    return standee
