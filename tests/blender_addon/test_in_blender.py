"""Runner of the tests of `in_blender/` in Blender's own Python, when it is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-bpy" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_extension_works_in_blender() -> None:
    if not (ROOT / ".venv-bpy" / "standee-ready.txt").is_file():
        pytest.skip("needs Blender as a module: `make blender` brings it (400 MB)")
    command = [str(PYTHON), "-m", "pytest", "-v", "tests/blender_addon/in_blender"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[:4000]
