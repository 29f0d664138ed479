"""Build of the Blender extension: one zip per platform, with everything in it that Blender lacks.

    python scripts/extension.py [--out dist] [--platform linux-x64 ...]

A zip holds `blender_addon/`, the manifest completed by `platforms` and `wheels`, and in `wheels/` the
client (`standee`, without the backend) and the pinned msgpack, msgspec and pyzmq wheels for every
Python that Blender 4.2 to 5.x brings, as they lie on the package index. numpy comes with Blender.
The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ADDON = ROOT / "blender_addon"
CLIENT = ROOT / "protocol" / "standee"
DOWNLOADS = ROOT / "build" / "wheels"

PYTHONS = ("3.11", "3.13")
"""Blender 4.2 to 5.0 bring 3.11; 5.1 and the packages of Linux distributions 3.13."""
BUNDLED = ("msgpack", "msgspec", "pyzmq")
PLATFORMS = {
    "linux-x64": ("manylinux2014_x86_64", "manylinux_2_26_x86_64", "manylinux_2_28_x86_64"),
    "linux-arm64": ("manylinux2014_aarch64", "manylinux_2_26_aarch64", "manylinux_2_28_aarch64"),
    "windows-x64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
    "macos-x64": (
        "macosx_10_9_x86_64",
        "macosx_10_13_x86_64",
        "macosx_10_15_universal2",
        "macosx_11_0_x86_64",
    ),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2"),
}
"""Blender's names of platforms, and the tags of the wheels that run there."""
LARGEST = 8 * 2**20
"""Bytes of a zip, at most."""
EPOCH = (1980, 1, 1, 0, 0, 0)


def main(arguments: list[str] | None = None) -> int:
    """Build the zips that were asked for, all by default; print their paths and sizes."""
    parser = argparse.ArgumentParser(description="Build the Blender extension.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the zips go")
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help="only this one")
    options = parser.parse_args(arguments)
    for platform in options.platform or PLATFORMS:
        try:
            path = build(platform, options.out)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:]
            print(
                f"standee: the wheels for {platform} could not be fetched: {''.join(last)}. "
                "Fix: connect to the internet, or name your mirror with PIP_INDEX_URL.",
                file=sys.stderr,
            )
            return 1
        size = path.stat().st_size
        print(f"{path}  {size / 2**20:.1f} MB")
        if size > LARGEST:
            print(f"standee: {path.name} is over {LARGEST >> 20} MB", file=sys.stderr)
            return 1
    return 0


def build(platform: str, out: Path) -> Path:
    """Build the zip of one platform and return its path."""
    wheels = fetch(platform)
    manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
    name = f"{manifest['id']}-{manifest['version']}-{platform.replace('-', '_')}.zip"
    client = client_wheel()
    names = [client[0], *(wheel.name for wheel in wheels)]
    entries = {
        "blender_manifest.toml": completed_manifest(platform, names),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        f"wheels/{client[0]}": client[1],
    }
    entries |= {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    for path in sources(ADDON):
        entries[path.relative_to(ADDON).as_posix()] = path.read_bytes()
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(zipped(entries))
    return out / name


def completed_manifest(platform: str, wheels: Iterable[str]) -> bytes:
    """Return the manifest with the platform, the wheels and the project's homepage, if it has one.

    They go before its first table.
    """
    text = (ADDON / "blender_manifest.toml").read_text(encoding="utf-8")
    head, table, tail = text.partition("[permissions]")
    listed = "".join(f'  "./wheels/{name}",\n' for name in sorted(wheels))
    added = f'platforms = ["{platform}"]\nwheels = [\n{listed}]\n\n'
    homepage = _project().get("urls", {}).get("Homepage")
    if homepage:
        added = f'website = "{homepage}"\n{added}'
    return (head + added + table + tail).encode()


def fetch(platform: str) -> list[Path]:
    """Return the wheels that are bundled for a platform; those not there yet are downloaded."""
    folder = DOWNLOADS / platform
    pins = [pin(name) for name in BUNDLED]
    stamp = folder / "pins.txt"
    wanted = " ".join([*PYTHONS, *pins])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.whl"):
            old.unlink()
        tags = [part for tag in PLATFORMS[platform] for part in ("--platform", tag)]
        for python in PYTHONS:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--only-binary", ":all:", "--python-version", python, *tags]
            command += ["--dest", str(folder), *pins]
            subprocess.run(command, check=True, capture_output=True, text=True)
        stamp.write_text(wanted, encoding="utf-8")
    return sorted(folder.glob("*.whl"))


def pin(name: str) -> str:
    """Return the pinned requirement of a package."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}==\S+", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"standee: constraints.txt does not pin {name}")
    return found.group()


def client_wheel() -> tuple[str, bytes]:
    """Return the name and bytes of a wheel with the client alone: no backend, no command line.

    Its version has a local part that says what is in it: Blender leaves out a wheel whose name it
    has unpacked already, and would keep an older client.
    """
    project = _project()
    entries = {
        path.relative_to(CLIENT.parent).as_posix(): path.read_bytes() for path in sources(CLIENT)
    }
    version = f"{project['version']}+{_summary(entries)}"
    stem = f"standee-{version}"
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {name}" for name in project["dependencies"] if name.startswith(BUNDLED)),
    ]
    about = f"{stem}.dist-info"
    entries[f"{about}/METADATA"] = ("\n".join(metadata) + "\n").encode()
    entries[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: standee\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in entries.items()]
    entries[f"{about}/RECORD"] = ("\n".join([*record, f"{about}/RECORD,,"]) + "\n").encode()
    return f"{stem}-py3-none-any.whl", zipped(entries)


def sources(folder: Path) -> list[Path]:
    """Return the files of a package that are shipped."""
    kinds = {".py", ".typed", ".standee"}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in kinds and path.is_file() and "__pycache__" not in path.parts
    )


def zipped(entries: dict[str, bytes]) -> bytes:
    """Return a zip of these entries; the same entries give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, entries[name])
    return out.getvalue()


def _project() -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def _summary(entries: dict[str, bytes]) -> str:
    """Return a few letters that stand for these files."""
    whole = hashlib.sha256()
    for name in sorted(entries):
        whole.update(f"{name} {len(entries[name])} ".encode() + entries[name])
    return f"b{whole.hexdigest()[:12]}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.exit(main())
