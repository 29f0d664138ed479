"""Setup of `.venv`: finds a Python, installs what is pinned. Kept: needs no tool but any Python 3.

    python3 scripts/setup.py [--torch BUILD] backend dev

Needs only the standard library. Does nothing when `.venv` already holds these extras as pinned.
Installs by uv where it is on the PATH, which then also brings a Python; else by pip. Which build of PyTorch
suits the machine is found out and told; `--torch` or `STANDEE_TORCH` decide otherwise.
Whatever goes wrong is one line with its fix. The syntax stays that of Python 3.6, so that an old
Python is told to make room for a newer one instead of failing to read this file.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "protocol"))

from standee_cli.package_installer import (  # noqa: E402  # from this checkout
    Installer,
    InstallError,
    explain,
    run,
    venv_python,
)
from standee_cli.torch_builds import CHOICES, TorchBuild, choose, detect  # noqa: E402

VENV = ROOT / ".venv"
VENV_PYTHON = venv_python(VENV)
STAMP = VENV / "standee-setup.json"
LOG = VENV / "standee-setup.log"

EXTRAS = ("backend", "cluster", "desktop", "dev", "docs")
OLDEST, NEWEST = (3, 11), (3, 14)  # torch has wheels for these
NEWEST_WITH_ALL = "3.13"
"""The Python that uv brings where there is none."""

# What must load once an extra is installed, and the Debian packages of the libraries it loads.
IMPORTS = {
    "backend": "import cv2, numpy, torch, transformers",
    "cluster": "import grpc, ray",
    "desktop": """
import ctypes, pathlib, sys, PySide6.QtWidgets as qt
if sys.platform == "linux":
    ctypes.CDLL(str(pathlib.Path(qt.__file__).parent / "Qt/plugins/platforms/libqxcb.so"))
""",
    "dev": "import pytest",
    "docs": "import material, mkdocstrings",
}
DEBIAN = {
    "backend": {"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6"},
    "desktop": {
        "libEGL.so.1": "libegl1",
        "libGL.so.1": "libgl1",
        "libdbus-1.so.3": "libdbus-1-3",
        "libfontconfig.so.1": "libfontconfig1",
        "libfreetype.so.6": "libfreetype6",
        "libglib-2.0.so.0": "libglib2.0-0",
        "libgthread-2.0.so.0": "libglib2.0-0",
        "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4",
        "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-shape.so.0": "libxcb-shape0",
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
        "libxkbcommon.so.0": "libxkbcommon0",
    },
}


def main(arguments: "list[str]") -> int:
    """Make `.venv` hold the extras named in `arguments`; 0 if it does, 1 (and one line) if not."""
    parser = argparse.ArgumentParser(prog="setup.py", description="Set up .venv.")
    parser.add_argument("extras", nargs="*", metavar="EXTRA", help=", ".join(EXTRAS))
    parser.add_argument("--torch", metavar="BUILD", default="", help=", ".join(CHOICES))
    given = parser.parse_args(arguments)
    if set(given.extras) - set(EXTRAS):
        parser.error(f"the extras are {', '.join(EXTRAS)}")
    try:
        set_up(set(given.extras), given.torch)
    except (InstallError, ValueError) as error:
        print(f"standee: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"standee: {explain(str(error), VENV_PYTHON)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstandee: interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def set_up(extras: "set[str]", torch: str = "") -> None:
    """Install `extras`, and those installed before, unless the stamp says that they are there.

    `torch` is the build that is asked for. Raises `InstallError`, and `ValueError` for a build that there is not.
    """
    stamp = read_stamp()
    moved = stamp.get("root", str(ROOT)) != str(ROOT)  # console scripts hold absolute paths
    usable = VENV_PYTHON.exists() and not moved
    installed = set(stamp.get("extras", [])) if usable else set()
    asked = torch or os.environ.get("STANDEE_TORCH", "auto")
    as_asked = asked in ("auto", stamp.get("torch")) or "backend" not in extras | installed
    if usable and stamp.get("pins") == pins() and extras <= installed and as_asked:
        return
    began = time.monotonic()
    wanted = sorted(extras | installed)
    build = choose(detect(), torch) if "backend" in wanted else None
    installer = Installer(VENV_PYTHON, LOG)
    if not usable:
        python = find_python(installer)
        require_disk(build)
        create_venv(python, installer)
    print(
        f"Setting up .venv with standee[{','.join(wanted)}] by {installer.name};"
        " the next time takes no time."
    )
    constraints = ("--constraint", str(ROOT / "constraints.txt"))
    if build is not None:
        if usable and stamp.get("torch", build.name) != build.name:
            installer.uninstall("torch")
        installer.install_torch(torch_pin(), build, print, *constraints)
    installer.install(*constraints, "--editable", f"{ROOT}[{','.join(wanted)}]")
    for extra in wanted:
        require_loadable(extra)
    done = {"root": str(ROOT), "pins": pins(), "extras": wanted}
    if build is not None:
        done["torch"] = build.name
    STAMP.write_text(json.dumps(done))
    print(f"Ready after {time.monotonic() - began:.0f} s.")


def torch_pin() -> str:
    """The requirement that pins torch."""
    pin = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pin is not None
    return pin.group()


def read_stamp() -> "dict[str, Any]":
    """What the last complete set-up left; empty if there was none."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def pins() -> str:
    """A digest of what decides what is installed: the pins, and which packages are to be linked."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    packages = sorted(path.parent.name for path in ROOT.glob("*/standee*/__init__.py"))
    digest.update(" ".join(packages).encode())
    return digest.hexdigest()


# Python and disk


def find_python(installer: Installer) -> str:
    """The interpreter to build `.venv` with: the one running this, a suitable one on PATH, or one for uv to bring."""
    named = [shutil.which(f"python3.{minor}") for minor in (13, 12, 11, 14)]
    for python in [sys.executable, *filter(None, named)]:
        if OLDEST <= version_of(python) <= NEWEST:
            return python
    if installer.uv:
        return NEWEST_WITH_ALL
    found = "{}.{}".format(*version_of(sys.executable))
    raise InstallError(
        f"needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, found {found}. "
        f"Fix: {newer_python()}"
    )


def version_of(python: str) -> "tuple[int, int]":
    """(major, minor) of an interpreter; (0, 0) if it does not run: a version manager's shim."""
    answer = run(python, "-c", "import sys; print(*sys.version_info[:2])")
    numbers = answer.stdout.split()
    return (int(numbers[0]), int(numbers[1])) if answer.returncode == 0 else (0, 0)


def newer_python() -> str:
    """The command that brings a suitable Python to this machine."""
    for minor in (13, 12, 11):
        package = f"python3.{minor}-venv"
        if shutil.which("apt-cache") and run("apt-cache", "show", package).returncode == 0:
            return f"sudo apt-get install -y {package}"
    if sys.platform == "darwin" and shutil.which("brew"):
        return "brew install python@3.13"
    if sys.platform == "win32":
        return "winget install Python.Python.3.13"
    return "curl -LsSf https://astral.sh/uv/install.sh | sh && ~/.local/bin/uv python install 3.13"


def require_disk(build: "Optional[TorchBuild]") -> None:
    """Raise `InstallError` unless the packages fit; measured sizes, rounded up."""
    needed = 1 if build is None else 3 if build.name == "cpu" else 10
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise InstallError(
            f"needs {needed} GB of disk for its packages, {ROOT} has {free:.1f} GB. "
            f"Fix: free {needed - free:.1f} GB there, or clone to a larger disk."
        )


def create_venv(python: str, installer: Installer) -> None:
    """Build an empty `.venv`; without uv, on Debian with the package that its Python leaves out."""
    if installer.uv:
        shutil.rmtree(VENV, ignore_errors=True)
        answer = run(installer.uv, "venv", "--seed", "--python", python, str(VENV))
    else:
        command = (python, "-m", "venv", "--clear", str(VENV))
        answer = run(*command)
        if answer.returncode != 0 and "ensurepip" in answer.stdout:
            package = "python{}.{}-venv".format(*version_of(python))
            install_debian([package], f"{python} cannot make virtual environments")
            answer = run(*command)
    if answer.returncode != 0:
        raise InstallError(explain(answer.stdout, VENV_PYTHON))


# System libraries


def require_loadable(extra: str) -> None:
    """Load what an extra installed; bring (as root) or name missing system libraries."""
    answer = run(str(VENV_PYTHON), "-c", IMPORTS[extra])
    missing = re.search(r"(lib[\w+.-]+?\.so[.\d]*): cannot open shared object", answer.stdout)
    if missing and missing.group(1) in DEBIAN.get(extra, {}):
        packages = sorted(set(DEBIAN[extra].values()))
        install_debian(packages, f"standee[{extra}] needs {missing.group(1)}")
        answer = run(str(VENV_PYTHON), "-c", IMPORTS[extra])
    elif missing:
        raise InstallError(
            f"standee[{extra}] needs the system library {missing.group(1)}. Fix: install its "
            f"package (on Debian, `apt-file search {missing.group(1)}` names it)."
        )
    if answer.returncode != 0:
        last = answer.stdout.strip().splitlines()[-1:] or [f"exit status {answer.returncode}"]
        raise InstallError(
            f"standee[{extra}] is installed but does not load: {last[0]}. Fix: make clean"
        )


def install_debian(packages: "list[str]", reason: str) -> None:
    """Install Debian packages if this is root on such a system; else `InstallError` with the command."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise InstallError(f"{reason}. Fix: install what Debian calls {' '.join(packages)}")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise InstallError(f"{reason}. Fix: sudo {' '.join(command)}")
    print(f"  {' '.join(command)}")
    if run(*command).returncode != 0:
        run("apt-get", "update")  # a fresh image has no lists yet
        if run(*command).returncode != 0:
            raise InstallError(f"{reason}, and apt could not bring it. Fix: {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
