"""Release files: one command builds all of them, or says why there can be no release yet.

    python scripts/release.py [--out dist] [--dry-run]

Checks that every file tells the same version, that the changelog has it with a date, and that nothing is uncommitted.
Then the source archive, the wheel, the zips of the Blender extension, a list of what the packages rest on (an SBOM,
CycloneDX), and SHA256SUMS are built. The same commit gives the same wheel, zips and list. `--dry-run` only checks, and
names what would be built.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import extension  # type: ignore[import-not-found]  # beside it
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("backend", "desktop")
"""What most people install: the SBOM lists what these need."""


def main(arguments: list[str] | None = None) -> int:
    """Build a release; 1, and a line for each reason on stderr, if there can be none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the files go")
    parser.add_argument("--dry-run", action="store_true", help="check, and build nothing")
    given = parser.parse_args(arguments)
    version = versions(ROOT)["pyproject.toml"]
    wrong, waiting = disagreements(ROOT), unready(ROOT, version)
    for reason in [*wrong, *waiting]:
        print(f"standee: {reason}", file=sys.stderr)
    if wrong or (waiting and not given.dry_run):
        return 1
    if given.dry_run:
        print("\n".join(names(version)))
        return 0
    return build(given.out, version)


# Whether there can be a release


def versions(root: Path) -> dict[str, str]:
    """Return the version that each file tells; "" where it tells none."""

    def found(file: str, pattern: str) -> str:
        match = re.search(pattern, (root / file).read_text("utf-8"), re.MULTILINE)
        return match.group(1) if match else ""

    patterns = {
        "pyproject.toml": r'^version = "(.+)"$',
        "protocol/standee/__init__.py": r'^__version__ = "(.+)"$',
        "blender_addon/blender_manifest.toml": r'^version = "(.+)"$',
        "CITATION.cff": r"^version: (.+)$",
    }
    return {file: found(file, pattern) for file, pattern in patterns.items()}


def disagreements(root: Path) -> list[str]:
    """Return which files tell another version than pyproject.toml."""
    told = versions(root)
    version = told["pyproject.toml"]
    return [
        f"{file} says version {other or 'nothing'}, pyproject.toml {version}. Fix: change one."
        for file, other in told.items()
        if other != version
    ]


def unready(root: Path, version: str) -> list[str]:
    """Return what is to be done before this version can be released."""
    reasons = []
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        reasons.append(
            f"CHANGELOG.md has no {version} with a date. Fix: rename Unreleased to"
            f" [{version}] - YEAR-MONTH-DAY."
        )
    state = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=False
    )
    if state.returncode or state.stdout:
        reasons.append("there are uncommitted changes. Fix: commit them, or build in a new clone.")
    return reasons


def names(version: str) -> list[str]:
    """Return the names of a release's files."""
    zips = (f"standee-{version}-{system.replace('-', '_')}.zip" for system in extension.PLATFORMS)
    packages = (f"standee-{version}.tar.gz", f"standee-{version}-py3-none-any.whl")
    return [*packages, *zips, f"standee-{version}.cdx.json", "SHA256SUMS"]


# Building it


def build(out: Path, version: str) -> int:
    """Build all files into `out`; the exit status of the first step that fails."""
    out.mkdir(parents=True, exist_ok=True)
    commit = ["git", "log", "-1", "--format=%ct"]
    epoch = subprocess.check_output(commit, cwd=ROOT, text=True).strip()
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(
        command, env=os.environ | {"SOURCE_DATE_EPOCH": epoch}, capture_output=True, text=True
    )
    if built.returncode:
        print(built.stdout[-2000:] + built.stderr[-2000:], file=sys.stderr)
        return built.returncode
    if wrong := misplaced(out / f"standee-{version}-py3-none-any.whl"):
        print(f"standee: the wheel {wrong}.", file=sys.stderr)
        return 1
    with redirect_stdout(io.StringIO()):  # the list below has them
        status = extension.main(["--out", str(out)])
    if status:
        return int(status)
    (out / f"standee-{version}.cdx.json").write_text(bill_of_materials(), "utf-8")
    files = [out / name for name in names(version)[:-1]]
    (out / "SHA256SUMS").write_text("".join(checksums(files)), "utf-8")
    for file in [*files, out / "SHA256SUMS"]:
        print(f"{file}  {file.stat().st_size / 2**20:.1f} MB")
    return 0


def misplaced(wheel: Path) -> str:
    """Return what is wrong with what a wheel holds, "" if nothing is."""
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    packages = {name.partition("/")[0] for name in held if ".dist-info/" not in name}
    if strangers := {name for name in packages if not name.startswith("standee")}:
        return f"holds {', '.join(sorted(strangers))}"
    needed = ("standee_backend/models/mini/model_index.json", "standee/py.typed")
    if missing := [name for name in needed if name not in held]:
        return f"lacks {', '.join(missing)}"
    return ""


def checksums(files: list[Path]) -> Iterator[str]:
    """Yield the lines of SHA256SUMS, which `sha256sum --check` reads."""
    for file in files:
        with file.open("rb") as stream:
            yield f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {file.name}\n"


def bill_of_materials() -> str:
    """Return the SBOM, CycloneDX in JSON: what is installed here of what `EXTRAS` need, and what those need."""
    command = ["cyclonedx-py", "requirements", "-", "--pyproject", str(ROOT / "pyproject.toml")]
    command += ["--mc-type", "application", "--output-reproducible", "--of", "JSON"]
    tool = Path(sys.executable).with_name(command[0])
    lines = "\n".join(f"{name}=={version}" for name, version in sorted(installed(EXTRAS).items()))
    made = subprocess.run(
        [str(tool), *command[1:]], input=lines, capture_output=True, text=True, check=True
    )
    return json.dumps(json.loads(made.stdout), indent=2) + "\n"


def installed(extras: tuple[str, ...]) -> dict[str, str]:
    """Return the packages that Standee needs with these extras, all the way down, and their versions here.

    Those that are for other systems are left out.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    waiting += [Requirement(line) for extra in extras for line in optional[extra]]
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        if (key := (requirement.name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:
            continue
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        # A local part says which build this is; what people get is of the same version.
        found[name] = package.version.partition("+")[0]
        for line in package.requires or ():
            needed = Requirement(line)
            asked = requirement.extras or {""}
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": one}) for one in asked
            ):
                waiting.append(needed)
    return found


if __name__ == "__main__":
    sys.exit(main())
