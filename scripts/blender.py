"""Blender as a Python module: its installation, the extension's tests in it, its list of zips.

    python scripts/blender.py bring            the version that is tested everywhere
    python scripts/blender.py test [ARGS ...]  bring it, and run the tests in it
    python scripts/blender.py test-all         the same in every version that is supported
    python scripts/blender.py repository DIR   list the extension's zips in a folder for Blender

Each version lives in an environment of its own, `.venv-bpy` or `.venv-bpy-VERSION`, because a `bpy`
wheel runs on one Python only. Blender brings numpy; the client and its libraries come from the
extension that is tested. Whatever cannot be had is said in one line; `bring` is no failure then,
and the tests are skipped. `test-all` leaves out a version whose Python is not there, and says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USUAL = "5.0.1"
"""The version that `bring` and `test` mean: its Python is the oldest that Standee runs on."""
PYTHONS = {"4.2.23": "3.11", "4.5.15": "3.11", USUAL: "3.11", "5.2.3": "3.13"}
"""Every version that is tested, and the Python that its wheel is built for."""
TOOL = "lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
"""Where an environment has Blender's tool for extensions."""
TESTS = ROOT / "tests" / "blender_addon" / "in_blender"


def main(arguments: list[str]) -> int:
    """Do what the first argument says; 0 if it worked."""
    task, *rest = arguments or ["bring"]
    if task == "bring":
        reason = bring(USUAL)
        if reason:
            print(f"standee: the tests in Blender will be skipped: {reason}")
        return 0
    if task in ("test", "test-all"):
        versions = tuple(PYTHONS) if task == "test-all" else (USUAL,)
        there = [version for version in versions if version == USUAL or may_run(version)]
        return max(test(version, rest) for version in there)
    if task == "repository" and len(rest) == 1:
        return list_packages(Path(rest[0]))
    print(__doc__, file=sys.stderr)
    return 2


def environment(version: str) -> Path:
    """Return where a version lives."""
    return ROOT / (".venv-bpy" if version == USUAL else f".venv-bpy-{version}")


def interpreter(version: str) -> Path:
    """Return the Python that has a version."""
    return environment(version) / (
        "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    )


def bring(version: str) -> str:
    """Install a version unless it is there; return why it cannot be had, or nothing."""
    ready = environment(version) / "standee-ready.txt"
    if ready.is_file():
        return ""
    wanted = f"python{PYTHONS[version]}"
    python = find_python(wanted)
    if python is None:
        return (
            f"Blender {version} as a module needs {wanted}, which is not on PATH. Fix: install it"
        )
    if shutil.disk_usage(ROOT).free < 2e9:
        return f"it needs 2 GB of disk. Fix: free some at {ROOT}"
    print(f"Bringing Blender {version} (400 MB) into {environment(version).name} ...", flush=True)
    pip = [str(interpreter(version)), "-m", "pip", "install", "--quiet", "--no-input"]
    pins = ["--constraint", str(ROOT / "constraints.txt")]
    commands = (
        [python, "-m", "venv", "--clear", str(environment(version))],
        [*pip, f"bpy=={version}", "numpy<2" if PYTHONS[version] == "3.11" else "numpy"],
        [*pip, *pins, "pytest", "pytest-timeout"],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            return f"installing bpy {version} failed: {''.join(last)}"
    ready.write_text(f"{version}\n", encoding="utf-8")
    return ""


def may_run(version: str) -> bool:
    """Whether a version is there or its Python is; if not, say that it is left out."""
    wanted = f"python{PYTHONS[version]}"
    if (environment(version) / "standee-ready.txt").is_file() or find_python(wanted):
        return True
    print(f"standee: Blender {version} is left out: there is no {wanted} on PATH", file=sys.stderr)
    return False


def find_python(wanted: str) -> str | None:
    """Return a Python that is `wanted`, such as "python3.11"."""
    for python in (sys.executable, shutil.which(wanted)):
        if python is None:
            continue
        code = "import sys; print('python%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == wanted:
            return python
    return None


def test(version: str, arguments: list[str]) -> int:
    """Bring a version and run the tests in it; return pytest's status."""
    reason = bring(version)
    if reason:
        print(f"standee: {reason}", file=sys.stderr)
        return 1
    print(f"Blender {version}", flush=True)
    command = [str(interpreter(version)), "-m", "pytest", str(TESTS), *arguments]
    # A Blender that hangs at its exit must not hang the tests.
    try:
        return subprocess.run(command, cwd=ROOT, check=False, timeout=1200).returncode
    except subprocess.TimeoutExpired:
        print(f"standee: Blender {version} did not end within 20 minutes", file=sys.stderr)
        return 1


def list_packages(folder: Path) -> int:
    """Write what makes a folder of zips an extension repository: `index.json`, and a page to browse.

    Blender's own tool does; return its status.
    """
    reason = bring(USUAL)
    if reason:
        print(f"standee: {reason}", file=sys.stderr)
        return 1
    if not list(folder.glob("*.zip")):
        print(f"standee: no zips in {folder}. Fix: `make extension`", file=sys.stderr)
        return 1
    [tool] = environment(USUAL).glob(TOOL)
    command = [str(interpreter(USUAL)), str(tool), "server-generate", "--html"]
    done = subprocess.run([*command, "--repo-dir", str(folder)], check=False)
    if done.returncode == 0:
        print(folder / "index.json")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
