"""The arrows between packages point one way, and what is pinned is what is allowed."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "standee": ROOT / "protocol/standee",
    "standee_backend": ROOT / "backend/standee_backend",
    "standee_desktop": ROOT / "desktop_app/standee_desktop",
    "blender_addon": ROOT / "blender_addon",
}
FORBIDDEN = {
    "standee": {"torch", "diffusers", "PySide6", "bpy", "standee_backend", "standee_desktop"},
    "standee_backend": {"PySide6", "bpy", "standee_desktop", "training"},
    "standee_desktop": {"torch", "diffusers", "bpy", "standee_backend"},
    "blender_addon": {"torch", "diffusers", "PySide6", "standee_backend", "standee_desktop"},
}


def imports(file: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    for file in PACKAGES[package].rglob("*.py"):
        wrong = {name.split(".")[0] for name in imports(file)} & FORBIDDEN[package]
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_nothing_but_the_daemons_own_start_imports_the_daemon() -> None:
    starters = {"__main__.py", "cli.py"}
    for package in ("standee", "standee_backend"):
        for file in PACKAGES[package].rglob("*.py"):
            wrong = "standee_backend.daemon" in imports(file) and file.name not in starters
            assert not wrong, f"{file.relative_to(ROOT)} imports the daemon"


def test_the_client_comes_up_without_torch() -> None:
    code = "import sys, standee; standee.Composition; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = chain(project["dependencies"], *project["optional-dependencies"].values())
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    for requirement in map(Requirement, ranges):
        assert pins[requirement.name] in requirement.specifier, requirement


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]
    for document in documents:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
