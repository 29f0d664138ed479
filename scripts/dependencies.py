"""Dependency ranges: environments of the oldest and newest packages, and the tests in each.

    python scripts/dependencies.py [lowest | newest] [--no-install]

`.venv-lowest` holds each package at its lower bound, `.venv-newest` the latest of each; what these need in turn is the
latest for both. With each the protocol's tests run, and those of the engine that touch most of diffusers, transformers
and peft. uv resolves and installs, since pip knows no lowest versions: it is installed into each environment. It heeds
its own settings, such as `UV_CONSTRAINT`, and what pip was told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "protocol"))

from standee_cli.package_installer import environment, reachable, venv_python  # noqa: E402  # of this checkout
from standee_cli.torch_builds import choose, detect  # noqa: E402

RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
TESTS = (
    "tests/protocol",
    "tests/backend/engine/families/lora/test_adapters.py",
    "tests/backend/engine/loading/test_load.py",
    "tests/backend/engine/test_compose.py",
    "tests/backend/engine/test_guidance.py",
)


def main() -> int:
    """Install and test; the exit status of the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="?", choices=RESOLUTIONS, help="both without")
    parser.add_argument("--no-install", action="store_true", help="test what is there")
    given = parser.parse_args()
    for name in [given.which] if given.which else RESOLUTIONS:
        folder = ROOT / f".venv-{name}"
        python = venv_python(folder)
        if not given.no_install:
            install(folder, python, RESOLUTIONS[name])
        print(f"-- {name}: {', '.join(versions(python))}", flush=True)
        tested = subprocess.run([python, "-m", "pytest", "-q", *TESTS], cwd=ROOT)
        if tested.returncode:
            return tested.returncode
    return 0


def install(folder: Path, python: Path, resolution: str) -> None:
    """Make an environment of Standee's packages, so resolved."""
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    command = [str(python), "-m", "uv", "pip", "install", "--python", str(python), "--upgrade"]
    command += ["--resolution", resolution, "--editable", f"{ROOT}[backend,dev]"]
    build = choose(detect())
    if build.name == "cpu" and reachable(f"{build.url}/torch/"):  # others lack the oldest torch
        command += ["--torch-backend", "cpu"]
    subprocess.run(command, check=True, env=environment())


def versions(python: Path) -> list[str]:
    """Return what an environment holds of the packages that matter most."""
    code = (
        "from importlib.metadata import version\n"
        "for name in ('msgspec', 'torch', 'diffusers', 'transformers', 'peft', 'accelerate'):\n"
        "    print(name, version(name))"
    )
    return subprocess.check_output([python, "-c", code], text=True).splitlines()


if __name__ == "__main__":
    sys.exit(main())
