"""The engine's libraries say nothing of themselves to whoever starts it."""

import subprocess
import sys


def test_libraries_are_imported_without_a_word() -> None:
    code = "import standee_backend.engine.families.flux; from diffusers import FluxPipeline"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == done.stdout == ""
