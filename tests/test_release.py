"""`scripts/release.py`: what keeps a release from being made, and what it is made of."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location("release", ROOT / "scripts/release.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return module


@pytest.fixture
def checkout(release: ModuleType, tmp_path: Path) -> Path:
    """A committed checkout of the files that tell the version, with a changelog that is ready."""
    for file in release.versions(ROOT):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    version = release.versions(ROOT)["pyproject.toml"]
    (tmp_path / "CHANGELOG.md").write_text(f"## [Unreleased]\n\n## [{version}] - 2026-12-01\n")
    as_someone = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], [*as_someone, "commit", "-qm", "ready"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_every_file_of_this_checkout_tells_one_version(release: ModuleType) -> None:
    assert release.disagreements(ROOT) == []
    assert all(release.versions(ROOT).values())


def test_a_file_of_another_version_is_named(release: ModuleType, checkout: Path) -> None:
    assert release.disagreements(checkout) == []
    manifest = checkout / "blender_addon/blender_manifest.toml"
    manifest.write_text(manifest.read_text().replace('\nversion = "', '\nversion = "9'))
    (checkout / "CITATION.cff").write_text("cff-version: 1.2.0\n")
    one, other = release.disagreements(checkout)
    assert one.startswith("blender_addon/blender_manifest.toml says version 9")
    assert other.startswith("CITATION.cff says version nothing")


def test_a_release_waits_for_its_entry_in_the_changelog_and_for_a_commit(
    release: ModuleType, checkout: Path
) -> None:
    version = release.versions(checkout)["pyproject.toml"]
    assert release.unready(checkout, version) == []
    (checkout / "CHANGELOG.md").write_text("## [Unreleased]\n")
    changelog, uncommitted = release.unready(checkout, version)
    assert f"[{version}] - YEAR-MONTH-DAY" in changelog
    assert "uncommitted" in uncommitted


def test_a_wheel_that_holds_too_much_or_too_little_is_refused(
    release: ModuleType, tmp_path: Path
) -> None:
    def wheel(*names: str) -> Path:
        with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
            for name in names:
                archive.writestr(name, "")
        return tmp_path / "a.whl"

    whole = ("standee/py.typed", "standee_backend/models/mini/model_index.json")
    assert release.misplaced(wheel(*whole, "standee-0.1.0.dist-info/METADATA")) == ""
    assert release.misplaced(wheel(*whole, "training/train.py")) == "holds training"
    assert release.misplaced(wheel(whole[0])) == f"lacks {whole[1]}"


def test_checksums_are_as_sha256sum_reads_them(release: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"abc")
    [line] = release.checksums([tmp_path / "a.zip"])
    assert line.startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert line.endswith("  a.zip\n")


def test_what_the_bill_of_materials_lists_is_what_people_get_and_no_tools(
    release: ModuleType,
) -> None:
    found = release.installed(("backend",))
    assert {"msgspec", "pyzmq", "mdurl"} <= set(found)  # mdurl: what rich's needs need
    assert not {"pytest", "ruff", "cyclonedx-bom"} & set(found)
    assert not any("+" in version for version in found.values())
