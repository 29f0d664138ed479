"""Setup of `.venv`: finds a Python, installs what is pinned. Kept: needs no tool but any Python 3.

    python3 scripts/setup.py backend dev

Needs only the standard library. Does nothing when `.venv` already holds these extras as pinned.
Whatever goes wrong is one line with its fix. The syntax stays that of Python 3.6, so that an old
Python is told to make room for a newer one instead of failing to read this file.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "standee-setup.json"
LOG = VENV / "standee-setup.log"

EXTRAS = ("backend", "desktop", "dev")
OLDEST, NEWEST = (3, 11), (3, 14)  # torch has wheels for these
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# What must load once an extra is installed, and the Debian packages of the libraries it loads.
IMPORTS = {
    "backend": "import cv2, numpy, torch, transformers",
    "desktop": """
import ctypes, pathlib, sys, PySide6.QtWidgets as qt
if sys.platform == "linux":
    ctypes.CDLL(str(pathlib.Path(qt.__file__).parent / "Qt/plugins/platforms/libqxcb.so"))
""",
    "dev": "import pytest",
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


class Stop(Exception):
    """Setting up cannot go on; the message is one line: what is wrong, and the fix."""


def main(arguments: "list[str]") -> int:
    """Make `.venv` hold the extras named in `arguments`; 0 if it does, 1 (and one line) if not."""
    extras = set(arguments)
    if extras - set(EXTRAS):
        print(f"usage: setup.py [{'] ['.join(EXTRAS)}]", file=sys.stderr)
        return 2
    try:
        set_up(extras)
    except Stop as stop:
        print(f"standee: {stop}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"standee: {explain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstandee: interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def set_up(extras: "set[str]") -> None:
    """Install `extras`, and those installed before, unless the stamp says that they are there."""
    stamp = read_stamp()
    moved = stamp.get("root", str(ROOT)) != str(ROOT)  # console scripts hold absolute paths
    usable = VENV_PYTHON.exists() and not moved
    installed = set(stamp.get("extras", [])) if usable else set()
    if usable and stamp.get("pins") == pins() and extras <= installed:
        return
    began = time.monotonic()
    wanted = sorted(extras | installed)
    if not usable:
        python = find_python()
        require_disk(wanted)
        create_venv(python)
    print(f"Setting up .venv with standee[{','.join(wanted)}]; the next time takes no time.")
    if "backend" in wanted:
        install_torch()
    pip("--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[{','.join(wanted)}]")
    for extra in wanted:
        require_loadable(extra)
    STAMP.write_text(json.dumps({"root": str(ROOT), "pins": pins(), "extras": wanted}))
    print(f"Ready after {time.monotonic() - began:.0f} s.")


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


def find_python() -> str:
    """The interpreter to build `.venv` with: the one running this, or a suitable one on PATH."""
    named = [shutil.which(f"python3.{minor}") for minor in (13, 12, 11, 14)]
    for python in [sys.executable, *filter(None, named)]:
        if OLDEST <= version_of(python) <= NEWEST:
            return python
    found = "{}.{}".format(*version_of(sys.executable))
    raise Stop(
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
    return "curl -LsSf https://astral.sh/uv/install.sh | sh && ~/.local/bin/uv python install 3.13"


def require_disk(extras: "list[str]") -> None:
    """Raise `Stop` unless the packages fit; measured sizes, rounded up."""
    needed = 1
    if "backend" in extras:
        needed = 10 if has_nvidia() else 3
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise Stop(
            f"needs {needed} GB of disk for its packages, {ROOT} has {free:.1f} GB. "
            f"Fix: free {needed - free:.1f} GB there, or clone to a larger disk."
        )


def create_venv(python: str) -> None:
    """Build an empty `.venv`, on Debian with the package that its Python leaves out."""
    command = (python, "-m", "venv", "--clear", str(VENV))
    answer = run(*command)
    if answer.returncode != 0 and "ensurepip" in answer.stdout:
        package = "python{}.{}-venv".format(*version_of(python))
        install_debian([package], f"{python} cannot make virtual environments")
        answer = run(*command)
    if answer.returncode != 0:
        raise Stop(explain(answer.stdout))


# Packages


def install_torch() -> None:
    """Install the pinned torch, on Linux without an NVIDIA GPU the build that lacks 4 GB of CUDA.

    That build lives on PyTorch's own index, which a restricted network may not reach; what the
    usual index has is right everywhere, so it is the fallback.
    """
    pin = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pin is not None
    torch = pin.group()
    if sys.platform == "linux" and not has_nvidia() and reachable(f"{CPU_INDEX}/torch/"):
        try:
            # Its dependencies come from the usual index, with everything else.
            pip(torch, "--no-deps", "--index-url", CPU_INDEX)
            return
        except Stop:
            print("  PyTorch's CPU index has no such build; taking the usual one.")
    pip(torch, "--constraint", str(ROOT / "constraints.txt"))


def has_nvidia() -> bool:
    """Whether an NVIDIA driver is installed."""
    return shutil.which("nvidia-smi") is not None


def reachable(url: str) -> bool:
    """Whether a page answers within three seconds."""
    try:
        request = urllib.request.Request(url, method="HEAD")
        return bool(urllib.request.urlopen(request, timeout=3).status == 200)
    except (OSError, ValueError):
        return False


def pip(*arguments: str) -> None:
    """Run `pip install`: a changing line on a terminal, all in the log; `Stop` if it fails."""
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    output = []
    with subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        cwd=ROOT,
    ) as process, LOG.open("a", encoding="utf-8") as log:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            log.write(line)
            show_progress(line)
    show_progress("")
    if process.returncode != 0:
        raise Stop(explain("".join(output)))


def show_progress(line: str) -> None:
    """Replace the last line of a terminal; elsewhere print downloads only."""
    line = line.strip()
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 3
        print(f"\r\x1b[2K  {line[:width]}" if line else "\r\x1b[2K", end="", flush=True)
    elif line.startswith("Downloading"):
        print(f"  {line}", flush=True)


def explain(output: str) -> str:
    """The one line that a person needs out of what a failed command printed."""
    if re.search(r"No space left on device|Errno 28|not enough space", output):
        return (
            f"the disk of {ROOT} or of the temporary folder is full. Fix: free 3 GB (10 GB with an "
            "NVIDIA GPU), or set TMPDIR to a folder with room; the same command goes on from here."
        )
    if re.search(
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
        r"|Temporary failure in name resolution|Network is unreachable|Connection refused",
        output,
    ):
        return (
            "the package index cannot be reached. Fix: connect to the internet, or name your "
            f"mirror with PIP_INDEX_URL (proxy: HTTPS_PROXY); details in {LOG}"
        )
    missing = re.search(r"No matching distribution found for (.+)", output)
    if missing:
        return (
            f"your package index has no {missing.group(1).strip()} for this Python and machine. "
            f"Fix: use another Python (make test PYTHON=python3.12) or index (PIP_INDEX_URL); "
            f"details in {LOG}"
        )
    if re.search(r"Permission denied|Errno 13", output):
        return f"may not write to {VENV}. Fix: sudo chown -R $USER {ROOT}"
    errors = [line for line in output.splitlines() if line.lower().startswith("error")]
    last = (errors or output.strip().splitlines() or ["no reason given"])[-1]
    return f"installing failed: {last.strip()} (all of it: {LOG})"


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
        raise Stop(
            f"standee[{extra}] needs the system library {missing.group(1)}. Fix: install its "
            f"package (on Debian, `apt-file search {missing.group(1)}` names it)."
        )
    if answer.returncode != 0:
        last = answer.stdout.strip().splitlines()[-1:] or [f"exit status {answer.returncode}"]
        raise Stop(f"standee[{extra}] is installed but does not load: {last[0]}. Fix: make clean")


def install_debian(packages: "list[str]", reason: str) -> None:
    """Install Debian packages if this is root on such a system; else `Stop` with the command."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise Stop(f"{reason}. Fix: install what Debian calls {' '.join(packages)}")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise Stop(f"{reason}. Fix: sudo {' '.join(command)}")
    print(f"  {' '.join(command)}")
    if run(*command).returncode != 0:
        run("apt-get", "update")  # a fresh image has no lists yet
        if run(*command).returncode != 0:
            raise Stop(f"{reason}, and apt could not bring it. Fix: {' '.join(command)}")


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; stdout holds all that it printed. A missing command gives 127."""
    try:
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, stdout=str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
