"""Installing by uv or pip: what they are told, and what of their words reaches a person."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from standee_cli import package_installer
from standee_cli.package_installer import Installer, InstallError, environment, explain, venv_python
from standee_cli.torch_builds import Machine, choose

PYTHON = Path("/home/you/standee/.venv/bin/python")


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return Installer(Path(sys.executable), tmp_path / "log")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "free 3 GB"),
        (
            "WARNING: Retrying ... NewConnectionError('<...>: Failed to establish')\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "PIP_INDEX_URL",
        ),
        (
            "error: Failed to fetch: http://127.0.0.1:9/simple/click/\n  cause: dns error\n",
            "PIP_INDEX_URL",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no torch==2.13.0"),
        (
            "error: No solution found when resolving dependencies\n  cause: Because there is no "
            "version of torch==99 and you require torch==99, we can conclude that",
            "has no torch==99",
        ),
        ("error: externally-managed-environment", "an environment of its own"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "chown"),
        (
            "ERROR: Could not install packages due to an OSError: [WinError 32] The process cannot access the "
            "file because it is being used by another process: '.venv\\Scripts\\standee.exe'",
            "standee serve --stop",
        ),
        ("error: failed to remove file: Access is denied. (os error 5)", "standee serve --stop"),
        ("noise\nERROR: something new\nmore noise", "something new"),
        ("", "no reason given"),
    ],
)
def test_what_uv_and_pip_say_becomes_one_line(output: str, words: str) -> None:
    line = explain(output, PYTHON)
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("system", "path"), [("nt", "venv/Scripts/python.exe"), ("posix", "venv/bin/python")]
)
def test_the_python_of_an_environment_is_found_on_each_system(system: str, path: str) -> None:
    assert venv_python(Path("venv"), system) == Path(path)


def test_uv_installs_where_it_is_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho $UV_DEFAULT_INDEX $* >> {said}\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    installer = Installer(PYTHON, tmp_path / "log")
    assert installer.name == "uv"
    installer.install("click")
    installer.uninstall("torch")
    assert said.read_text().splitlines() == [
        f"https://mirror/simple pip install --python {PYTHON} click",
        f"https://mirror/simple pip uninstall --python {PYTHON} torch",
    ]


def test_uv_heeds_what_it_was_told_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other/simple")
    assert environment()["UV_DEFAULT_INDEX"] == "https://other/simple"


def test_a_failure_is_one_line_and_the_whole_is_in_the_log(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        installer, "command", lambda what: [sys.executable, "-c", "print('ERROR: no'); exit(1)"]
    )
    with pytest.raises(InstallError, match=r"installing failed: ERROR: no; details in .*log"):
        installer.install("click")
    assert installer.log.read_text() == "ERROR: no\n"


def test_without_uv_and_pip_the_fix_is_named(tmp_path: Path, installer: Installer) -> None:
    installer.python = tmp_path / "bin/python"
    with pytest.raises(InstallError, match=r"there is no uv, and .* has no pip. Fix: "):
        installer.install("click")


def test_torch_comes_from_the_usual_index_where_pytorchs_fails_and_that_is_told(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    said: list[str] = []

    def install(*arguments: str) -> None:
        calls.append(arguments)
        if "--index-url" in arguments:
            raise InstallError("no such build")

    monkeypatch.setattr(installer, "install", install)
    monkeypatch.setattr(package_installer, "reachable", lambda url: True)
    cpu = choose(Machine("linux"), "cpu")
    assert cpu.url is not None
    installer.install_torch("torch==2.13.0", cpu, said.append, "--constraint", "pins")
    assert calls == [
        ("torch==2.13.0", "--no-deps", "--index-url", cpu.url),
        ("torch==2.13.0", "--constraint", "pins"),
    ]
    assert said == [cpu.reason, f"{cpu.url} has no such build; taking the usual index's."]

    monkeypatch.setattr(package_installer, "reachable", lambda url: False)
    installer.install_torch("torch", cpu, said.append)
    assert calls[-1] == ("torch",)
    assert said[-1] == f"{cpu.url} cannot be reached; taking the usual index's."
