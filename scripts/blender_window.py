"""Window run of the extension: a real Blender against the real daemon on the bundled model.

    python scripts/blender_window.py [--pictures docs/blender]

Debian's own Blender (4.3, Python 3.13) is put into a folder of its own with debootstrap: once 1.5 GB
and three minutes, and root is needed. There, under Xvfb with software OpenGL, `drive.py` of
`tests/blender_addon/window/` does what an artist does; then a script composes two cameras in
`blender -b`. The daemon runs outside, from `.venv`. Where
the window cannot be had this says why and ends well: status 0, a line that begins with "skipped".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DRIVE = ROOT / "tests" / "blender_addon" / "window"
SYSTEM = Path(os.environ.get("STANDEE_BLENDER_ROOT") or ROOT / "build" / "blender-window")
PACKAGES = (
    "blender",
    "python3-numpy",
    "xvfb",
    "xauth",
    "libgl1-mesa-dri",
    "libegl1",
    "imagemagick",
    "fonts-dejavu-core",
)
SUITE = "trixie"
MINUTES = 14
"""It takes two on an idle machine; a busy one gets more."""


class Skip(Exception):
    """The window cannot be had here, and why."""


def main(arguments: list[str] | None = None) -> int:
    """Bring Blender, run the drive, print what it measured; 0 if all went well or it is skipped."""
    parser = argparse.ArgumentParser(description="Drive a real Blender window.")
    parser.add_argument("--pictures", type=Path, help="keep the screenshots in this folder")
    options = parser.parse_args(arguments)
    try:
        bring()
    except Skip as reason:
        print(f"skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="standee-window-", dir=SYSTEM / "tmp") as folder:
        return drive(Path(folder), options.pictures)


def bring() -> None:
    """Put Blender into `SYSTEM`, unless it is there. Raises `Skip`."""
    if (SYSTEM / "usr/bin/blender").exists():
        return
    if sys.platform != "linux" or not shutil.which("apt-get"):
        raise Skip("needs Debian or a relative of it")
    if os.geteuid() != 0:
        raise Skip("needs root, for debootstrap and chroot: sudo make test-blender-window")
    if shutil.disk_usage(ROOT).free < 4e9:
        raise Skip(f"needs 4 GB of disk at {ROOT}")
    if shutil.which("debootstrap") is None:
        run("apt-get", "update")
        run("apt-get", "install", "-y", "--no-install-recommends", "debootstrap")
    print(f"Bringing Blender into {SYSTEM} (1.5 GB, three minutes) ...", flush=True)
    SYSTEM.mkdir(parents=True, exist_ok=True)
    try:
        run("debootstrap", "--variant=minbase", SUITE, str(SYSTEM), mirror())
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
        run("chroot", str(SYSTEM), "apt-get", "update")
        run("chroot", str(SYSTEM), *quiet, "install", "-y", "--no-install-recommends", *PACKAGES)
    except Skip:
        shutil.rmtree(SYSTEM, ignore_errors=True)  # half a system would be taken for a whole one
        raise


def mirror() -> str:
    """Return where this machine gets its Debian packages."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if path.is_file():
            found = re.search(r"https?://\S+/debian/?(?=\s)", path.read_text(encoding="utf-8"))
            if found:
                return found.group()
    return "http://deb.debian.org/debian"


def drive(folder: Path, pictures: Path | None) -> int:
    """Run the drive in a folder of the system."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine]
    build = [sys.executable, str(ROOT / "scripts/extension.py"), "--out", str(folder)]
    subprocess.run([*build, "--platform", f"linux-{machine}"], check=True)
    [zip_file] = folder.glob("*.zip")
    examples = (ROOT / "examples/scenes/beach.png", ROOT / "examples/blender_cameras.py")
    subjects = (ROOT / "examples/subjects").glob("*.png")
    for path in (*DRIVE.glob("*.py"), *subjects, *examples):
        shutil.copy(path, folder)
    inside = Path("/") / folder.relative_to(SYSTEM)
    shots = folder / "shots"
    shots.mkdir()
    with daemon(folder / "home"):
        try:
            install = ["--command", "extension", "install-file", "-r", "user_default", "-e"]
            blender(inside, *install, str(inside / zip_file.name))
            window = ["--window-geometry", "0", "0", "1280", "800", "--enable-event-simulate"]
            script = ["--python-exit-code", "7", "--python", str(inside / "drive.py")]
            done = blender(inside, *window, *script)
            if done.returncode == 0:
                done = without_window(folder, inside)
        except Skip as reason:
            print(f"skipped: {reason}")
            return 0
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        for shot in sorted(shots.glob("*.png")):
            picture = pictures / f"{shot.stem}.webp"
            Image.open(shot).convert("RGB").save(picture, quality=85, method=6)
            print(picture)
    report = folder / "report.json"
    if done.returncode != 0 or not report.is_file():
        print("\n".join((done.stdout + done.stderr).splitlines()[-60:]), file=sys.stderr)
        log = (folder / "home" / "window.log").read_text(encoding="utf-8", errors="replace")
        print("\n".join(log.splitlines()[-10:]), file=sys.stderr)
        print(f"standee: the window run failed (status {done.returncode})", file=sys.stderr)
        return 1
    for name, value in json.loads(report.read_text(encoding="utf-8")).items():
        print(f"{name:40} {value}")
    return 0


def without_window(folder: Path, inside: Path) -> subprocess.CompletedProcess[str]:
    """Run the example for several cameras in `blender -b`: there must be a picture for each of two."""
    scripts = [str(inside / name) for name in ("headless.py", "blender_cameras.py")]
    made = folder / "cameras"
    made.mkdir()
    command = [
        "-b",
        "--python-exit-code",
        "7",
        "--python",
        scripts[0],
        "--python",
        scripts[1],
        "--",
    ]
    done = blender(inside, *command, str(inside / "fox.png"), str(inside / made.name))
    pictures = sorted(made.glob("*.png"))
    if done.returncode == 0 and [Image.open(one).size for one in pictures] != [(256, 256)] * 2:
        done.returncode, done.stderr = 1, done.stderr + f"\nnot two pictures, but {pictures}"
    for one in pictures:
        print(f"{'composed by blender -b':40} {one.name}")
    return done


def blender(inside: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Blender in the system, under a display of its own. Raises `Skip` if there is none."""
    display = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24 +extension GLX"]
    variables = {
        "HOME": "/root",
        "PATH": "/usr/bin:/bin:/usr/sbin",
        "LANG": "C.UTF-8",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "BLENDER_USER_RESOURCES": str(inside / "blender"),
        "STANDEE_WINDOW": str(inside),
    }
    settings = [f"{name}={value}" for name, value in variables.items()]
    command = ["chroot", str(SYSTEM), "env", "-i", *settings, *display]
    command += ["timeout", str(60 * MINUTES), "blender", "--factory-startup", *arguments]
    if arguments[0] == "--command":  # an installed extension must be found again
        command.remove("--factory-startup")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if "Xvfb failed to start" in done.stderr:
        raise Skip(f"there is no virtual display: {done.stderr.strip()}")
    return done


@contextmanager
def daemon(home: Path) -> Iterator[None]:
    """Run the daemon with its home there, and again whenever it is killed, until the end."""
    home.mkdir(mode=0o700)
    script = (
        "import subprocess, sys, time\n"
        "while True:\n"
        "    subprocess.run([sys.executable, '-m', 'standee_backend.daemon'])\n"
        "    time.sleep(4)\n"  # so that its absence can be seen
    )
    environment = os.environ | {"STANDEE_HOME": str(home)}
    with (home / "window.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            end = time.monotonic() + 60
            while not (home / "connection.json").exists():
                if time.monotonic() > end:
                    raise SystemExit(f"standee: the daemon does not start; see {home}/window.log")
                time.sleep(0.2)
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait(10)


def run(*command: str) -> None:
    """Run a command. Raises `Skip` with the last it said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Skip(f"{command[0]} failed: {''.join(last)}")


if __name__ == "__main__":
    sys.exit(main())
