"""Packages that are missing: every command, and whoever starts a daemon, names them and the way out."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from standee.client.packages import NEEDED, USEFUL

ROOT = Path(__file__).resolve().parents[3]


def run_without(folder: Path, modules: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python as if `modules`, which are named with spaces between, were not installed."""
    (folder / "sitecustomize.py").write_text(
        f"import sys\nfor name in {modules.split()!r}:\n    sys.modules[name] = None\n"
    )
    paths = [str(folder), *(str(ROOT / part) for part in ("protocol", "backend", "desktop_app"))]
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(paths),
            "STANDEE_HOME": str(folder / "home"),
            "STANDEE_PYTHON": "",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "modules", "said"),
    [
        ("demo", "PIL psutil", "standee[backend] is not installed here: pillow, psutil missing."),
        ("serve", "PIL", "standee[backend] is not installed here: pillow missing."),
        ("bench", "cv2", "standee[backend] is not installed here: opencv-python-headless missing."),
        ("models download mini", "safetensors", "standee[backend] is not installed here: safet"),
        ("edit", "PIL", "standee[desktop] is not installed here: pillow missing."),
        ("gateway", "uvicorn", "standee[gateway] is not installed here: uvicorn missing."),
        ("compose scene.json", "PIL", "the backend is not installed here: pillow missing."),
        ("cutout cat.png", "PIL", "the backend is not installed here: pillow missing."),
    ],
)
def test_a_half_installed_part_is_one_error_that_names_the_packages_and_the_way_out(
    tmp_path: Path, command: str, modules: str, said: str
) -> None:
    (tmp_path / "scene.json").write_text("{}")
    (tmp_path / "cat.png").write_bytes((ROOT / "docs/images/first-picture.png").read_bytes())
    ran = run_without(tmp_path, modules, "-m", "standee_cli.main", *command.split())
    assert (ran.returncode, ran.stdout) == (5, "")
    assert said in ran.stderr
    assert re.search(r"Run `standee doctor --fix (backend|desktop|gateway)`", ran.stderr)
    assert ran.stderr.count("\n") == 1


def test_what_a_package_itself_lacks_is_no_bug_of_standees(tmp_path: Path) -> None:
    ran = run_without(tmp_path, "pydantic", "-m", "standee_cli.main", "gateway")
    assert ran.returncode == 5
    assert "unforeseen" not in ran.stderr
    assert "Run `standee doctor --fix`; if that does not help, install pydantic anew." in ran.stderr


def test_doctor_names_what_is_missing_by_the_same_list(tmp_path: Path) -> None:
    ran = run_without(tmp_path, "PIL peft", "-m", "standee_cli.main", "doctor", "--json")
    found = {one["what"]: one for one in json.loads(ran.stdout)}
    assert found["Backend"]["value"] == "not installed: pillow, peft."
    assert found["Backend"]["fix"] == "Run `standee doctor --fix backend`."
    assert "msgspec" in found["Packages"]["value"]


def test_the_lists_are_those_that_an_installation_brings() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for extra in NEEDED:
        brought = {re.split(r"[<>=!\[]", line)[0] for line in extras[extra]}
        assert brought == {*NEEDED[extra].values(), *USEFUL[extra].values()}
