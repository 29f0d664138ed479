"""Bringing what is missing: what uv is asked for, and how `standee doctor --fix` says what went wrong."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from standee_cli import missing_packages, package_installer
from standee_cli.missing_packages import bring, requirements, unsuitable_torch
from standee_cli.package_installer import InstallError
from standee_cli.torch_builds import Machine
from support.command_line import Run

NEEDS = ["msgspec>=0.22", 'torch<3,>=2.7; extra == "backend"', 'pillow>=11.1; extra == "backend"']
ADA = Machine("linux", nvidia=(580, 65), capabilities=((8, 9),))


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A program in the place of uv; gives back what it was asked for, in a home and a system of its own."""
    said = tmp_path / "said"
    program = tmp_path / "uv"
    program.write_text(f'#!/bin/sh\necho $* >> {said}\necho "$UV_SAYS"\nexit ${{UV_EXIT:-0}}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STANDEE_TORCH", raising=False)
    monkeypatch.setattr(missing_packages, "CHECKOUT", tmp_path)
    monkeypatch.setattr(missing_packages, "requires", lambda name: NEEDS)
    monkeypatch.setattr(missing_packages, "detect", lambda: ADA)
    monkeypatch.setattr(package_installer, "reachable", lambda url: True)
    start = f"pip install --python {sys.executable} "
    return lambda: [line.replace(start, "") for line in said.read_text().splitlines()]


def installed(monkeypatch: pytest.MonkeyPatch, *versions: str | None) -> None:
    """Have torch be there in these versions, one after the other, the last for good."""
    answers = list(versions)

    def version(name: str) -> str:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            raise PackageNotFoundError(name)
        return answer

    monkeypatch.setattr(missing_packages, "version", version)


def test_what_an_extra_needs_is_installed_and_torch_as_it_suits_the_card(
    uv: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, None)
    told: list[str] = []
    bring("backend", told.append)
    assert uv() == [
        "torch<3,>=2.7 --index-url https://download.pytorch.org/whl/cu130",
        "torch<3,>=2.7 pillow>=11.1",
    ]
    assert told[0].startswith("PyTorch for CUDA 13.0 (cu130): ")


def test_a_torch_that_does_not_use_the_card_is_replaced_and_one_that_does_stays(
    uv: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "2.13.0+cpu", None)
    bring("backend", lambda _: None)
    assert uv()[0] == f"pip uninstall --python {sys.executable} torch"
    assert "cu130" in uv()[1]

    installed(monkeypatch, "2.13.0+cu126")
    told: list[str] = []
    bring("backend", told.append)
    assert told[0] == "PyTorch 2.13.0+cu126 stays."
    assert len(uv()) == 4


def test_doctor_finds_a_torch_that_does_not_use_the_card(
    uv: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "2.13.0+cpu")
    better = unsuitable_torch()
    assert better is not None
    assert better.name == "cu130"
    installed(monkeypatch, None)
    assert unsuitable_torch() is None


def test_doctor_says_in_one_line_why_something_could_not_be_installed(
    uv: Callable[[], list[str]], standee: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "2.13.0")
    monkeypatch.setenv("UV_EXIT", "1")
    monkeypatch.setenv("UV_SAYS", "error: Failed to fetch: x cause: dns error")
    ran = standee("doctor", "--fix", "backend")
    assert (ran.code, ran.out) == (5, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("Error: The package index cannot be reached. Connect to the internet")
    assert "install.log" in last


def test_doctor_refuses_a_build_for_nothing(standee: Run) -> None:
    assert standee("doctor", "--torch", "cpu").code == 2
    assert standee("doctor", "--fix", "desktop", "--torch", "cpu").code == 2
    assert standee("doctor", "--fix", "--torch", "cu99").code == 2


def test_files_that_were_not_installed_say_how_to_set_them_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(missing_packages, "requires", nowhere)
    with pytest.raises(InstallError, match=r"Fix: python scripts/setup.py backend$"):
        requirements("backend")
