"""`scripts/setup.py`: what a person sees on a machine that lacks something."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from standee_cli import package_installer
from standee_cli.package_installer import Installer
from standee_cli.torch_builds import Machine

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, as if it lay in an empty checkout; it installs nothing unless a test lets it."""
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts/setup.py", tmp_path / "scripts/setup.py")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    spec = importlib.util.spec_from_file_location("standee_setup_script", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(package_installer, "reachable", lambda url: False)
    monkeypatch.setattr(module, "detect", lambda: Machine("linux"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e12))
    monkeypatch.delenv("STANDEE_TORCH", raising=False)
    return module


@pytest.fixture
def pip_calls(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What pip was asked to install or remove; everything asked for loads."""
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(Installer, "install", lambda self, *arguments: calls.append(arguments))
    monkeypatch.setattr(
        Installer, "uninstall", lambda self, package: calls.append(("remove", package))
    )
    monkeypatch.setattr(setup, "require_loadable", lambda extra: None)
    monkeypatch.setattr(setup, "create_venv", lambda python, installer: make_venv(setup))
    return calls


def make_venv(setup: ModuleType) -> None:
    setup.VENV_PYTHON.parent.mkdir(parents=True)
    setup.VENV_PYTHON.touch()


def the_line(captured: "pytest.CaptureResult[str]") -> str:
    """The one line on stderr, which must name a fix."""
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("standee: ")
    return lines[0]


def test_a_second_run_installs_nothing(setup: ModuleType, pip_calls: list[tuple[str, ...]]) -> None:
    assert setup.main(["backend", "dev"]) == 0
    first = len(pip_calls)
    assert first > 0
    assert setup.main(["backend", "dev"]) == 0
    assert setup.main(["backend"]) == 0
    assert len(pip_calls) == first


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_pin_installs_again(
    setup: ModuleType, pip_calls: list[tuple[str, ...]], name: str
) -> None:
    assert setup.main(["dev"]) == 0
    first = len(pip_calls)
    with (setup.ROOT / name).open("a") as file:
        file.write("# changed\n")
    assert setup.main(["dev"]) == 0
    assert len(pip_calls) > first


def test_a_new_package_is_linked(setup: ModuleType, pip_calls: list[tuple[str, ...]]) -> None:
    assert setup.main(["dev"]) == 0
    first = len(pip_calls)
    package = setup.ROOT / "desktop_app/standee_desktop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert setup.main(["dev"]) == 0
    assert len(pip_calls) > first


def test_a_further_extra_keeps_the_earlier_ones(
    setup: ModuleType, pip_calls: list[tuple[str, ...]]
) -> None:
    assert setup.main(["backend"]) == 0
    assert setup.main(["dev"]) == 0
    assert pip_calls[-1][-1].endswith("[backend,dev]")


def test_a_moved_checkout_is_set_up_anew(
    setup: ModuleType, pip_calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert setup.main(["dev"]) == 0
    stamp = json.loads(setup.STAMP.read_text())
    setup.STAMP.write_text(json.dumps({**stamp, "root": "/where/it/was"}))
    created = []
    monkeypatch.setattr(setup, "create_venv", lambda python, installer: created.append(python))
    assert setup.main(["dev"]) == 0
    assert len(created) == 1


def test_a_failed_install_is_not_taken_for_done(
    setup: ModuleType, pip_calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(extra: str) -> None:
        raise setup.InstallError("it does not load. Fix: this")

    monkeypatch.setattr(setup, "require_loadable", fail)
    assert setup.main(["dev"]) == 1
    assert not setup.STAMP.exists()


def test_torch_comes_in_the_build_that_suits_the_machine_and_the_reason_is_told(
    setup: ModuleType,
    pip_calls: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(package_installer, "reachable", lambda url: True)
    monkeypatch.setattr(setup, "detect", lambda: Machine("linux", nvidia=(580, 65)))
    assert setup.main(["backend"]) == 0
    assert "https://download.pytorch.org/whl/cu130" in pip_calls[0]
    assert pip_calls[0][0].startswith("torch==")
    told = capsys.readouterr().out
    assert "PyTorch for CUDA 13.0 (cu130): an NVIDIA card with driver 580.65 was found." in told


def test_another_build_takes_the_place_of_the_one_that_is_there(
    setup: ModuleType, pip_calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_installer, "reachable", lambda url: True)
    assert setup.main(["backend"]) == 0
    assert setup.main(["backend", "--torch", "cpu"]) == 0
    assert ("remove", "torch") not in pip_calls
    monkeypatch.setenv("STANDEE_TORCH", "rocm7.2")
    assert setup.main(["backend"]) == 0
    assert pip_calls[-3] == ("remove", "torch")
    assert "https://download.pytorch.org/whl/rocm7.2" in pip_calls[-2]


def test_a_build_that_there_is_not_is_refused_with_those_that_there_are(
    setup: ModuleType, pip_calls: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup.main(["backend", "--torch", "cu99"]) == 1
    line = the_line(capsys.readouterr())
    assert "--torch names 'cu99'" in line
    assert "cu130" in line
    assert pip_calls == []


def test_an_old_python_is_named_with_what_to_install(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "version_of", lambda python: (3, 9))
    assert setup.main(["backend"]) == 1
    line = the_line(capsys.readouterr())
    assert "needs Python 3.11 to 3.14, found 3.9. Fix: " in line


@pytest.mark.parametrize(("platform", "words"), [("win32", "winget install"), ("linux", "curl ")])
def test_a_system_without_a_new_python_is_told_its_own_command(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str, words: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert setup.newer_python().startswith(words)


def test_a_newer_python_on_path_is_found(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    versions = {"/opt/python3.13": (0, 0), "/opt/python3.12": (3, 12)}  # a shim that does not run
    monkeypatch.setattr(setup, "version_of", lambda python: versions.get(python, (3, 9)))
    assert setup.find_python(Installer(setup.VENV_PYTHON, setup.LOG)) == "/opt/python3.12"


def test_uv_brings_a_python_where_none_is_new_enough(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/opt/uv" if name == "uv" else None)
    monkeypatch.setattr(setup, "version_of", lambda python: (3, 9))
    commands = []

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="")

    monkeypatch.setattr(setup, "run", run)
    installer = Installer(setup.VENV_PYTHON, setup.LOG)
    setup.create_venv(setup.find_python(installer), installer)
    assert commands == [("/opt/uv", "venv", "--seed", "--python", "3.13", str(setup.VENV))]


def test_a_full_disk_is_told_before_anything_is_downloaded(
    setup: ModuleType,
    pip_calls: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.4e9))
    assert setup.main(["backend"]) == 1
    line = the_line(capsys.readouterr())
    assert "needs 3 GB" in line
    assert "free 2.6 GB" in line
    assert pip_calls == []


def test_a_missing_library_names_the_apt_line(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = "ImportError: libEGL.so.1: cannot open shared object file: No such file or directory\n"
    monkeypatch.setattr(
        setup, "run", lambda *command: subprocess.CompletedProcess(command, 1, stdout=output)
    )
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    with pytest.raises(
        setup.InstallError, match=r"libEGL.so.1. Fix: sudo apt-get install .* libegl1 "
    ):
        setup.require_loadable("desktop")


def test_root_gets_the_missing_library_installed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        absent = not any("libgomp1" in earlier for earlier in commands)
        output = "OSError: libgomp.so.1: cannot open shared object file" if absent else ""
        return subprocess.CompletedProcess(command, int(absent), stdout=output)

    monkeypatch.setattr(setup, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    setup.require_loadable("backend")
    assert commands[1][:3] == ("apt-get", "install", "-y")


def test_a_python_without_venv_names_the_debian_package(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = "The virtual environment was not created because ensurepip is not available."
    monkeypatch.setattr(
        setup, "run", lambda *command: subprocess.CompletedProcess(command, 1, stdout=output)
    )
    monkeypatch.setattr(setup, "version_of", lambda python: (3, 12))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    installer = Installer(setup.VENV_PYTHON, setup.LOG)
    installer.uv = None
    with pytest.raises(setup.InstallError, match=r"Fix: sudo apt-get install .* python3.12-venv$"):
        setup.create_venv("/usr/bin/python3.12", installer)


def test_pip_without_a_network_gives_one_line_and_no_traceback(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "VENV_PYTHON", Path(sys.executable))
    setup.VENV.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert setup.main(["dev"]) == 1
    assert "the package index cannot be reached" in the_line(capsys.readouterr())
    assert "127.0.0.1" in setup.LOG.read_text()
