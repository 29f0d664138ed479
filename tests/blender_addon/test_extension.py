"""Extension zips: everything that Blender lacks, nothing else, and the same bytes each time."""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import standee

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build script, with wheels that need no network."""
    spec = importlib.util.spec_from_file_location("extension", ROOT / "scripts/extension.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def fetch(platform: str) -> list[Path]:
        folder = tmp_path / platform
        folder.mkdir(exist_ok=True)
        tag = module.PLATFORMS[platform][0]
        wheels = [folder / f"{name}-1-cp311-cp311-{tag}.whl" for name in module.BUNDLED]
        for wheel in wheels:
            wheel.write_bytes(b"a wheel")
        return wheels

    monkeypatch.setattr(module, "fetch", fetch)
    return module


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_platform_has_its_zip(extension: ModuleType, tmp_path: Path) -> None:
    for platform in extension.PLATFORMS:
        path = extension.build(platform, tmp_path / "out")
        manifest = tomllib.loads(content(path)["blender_manifest.toml"].decode())
        assert manifest["platforms"] == [platform]
        assert path.name == f"standee-{standee.__version__}-{platform.replace('-', '_')}.zip"
        assert all(wheel.removeprefix("./") in content(path) for wheel in manifest["wheels"])
        assert len(manifest["wheels"]) == 4


def test_the_zip_holds_the_whole_extension_and_no_tests(
    extension: ModuleType, tmp_path: Path
) -> None:
    names = set(content(extension.build("linux-x64", tmp_path)))
    sources = {
        p.relative_to(ROOT / "blender_addon").as_posix()
        for p in extension.sources(ROOT / "blender_addon")
    }
    assert sources <= names
    assert {"LICENSE", "__init__.py", "core/projection.py"} <= names
    assert not [name for name in names if "test" in name or "__pycache__" in name]


def test_the_client_in_it_is_the_client_alone(extension: ModuleType) -> None:
    name, data = extension.client_wheel()
    version = name.split("-")[1]
    assert re.fullmatch(rf"{re.escape(standee.__version__)}\+b[0-9a-f]{{12}}", version)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(f"standee-{version}.dist-info/METADATA").decode()
    assert f"Version: {version}" in metadata.splitlines()
    assert "standee/samples/three_friends.standee" in names
    assert "standee/client/client.py" in names
    assert not [
        one
        for one in names
        if one.startswith(("standee_cli", "standee_gateway", "standee_backend", "standee_desktop"))
    ]
    needed = {line.split()[1].split(">")[0] for line in metadata.splitlines() if "Dist" in line}
    assert needed == {"msgpack", "msgspec", "pyzmq"}


def test_a_client_that_changed_is_a_wheel_of_another_name(
    extension: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = extension.client_wheel()
    assert extension.client_wheel()[0] == before
    shutil.copytree(extension.CLIENT, tmp_path / "standee")
    monkeypatch.setattr(extension, "CLIENT", tmp_path / "standee")
    assert extension.client_wheel()[0] == before
    (tmp_path / "standee" / "geometry.py").write_text("PATCH = 16\n")
    assert extension.client_wheel()[0] != before


def test_the_same_sources_give_the_same_bytes(extension: ModuleType, tmp_path: Path) -> None:
    first = extension.build("linux-x64", tmp_path / "a").read_bytes()
    assert extension.build("linux-x64", tmp_path / "b").read_bytes() == first


def test_the_manifest_keeps_blenders_rules() -> None:
    text = (ROOT / "blender_addon/blender_manifest.toml").read_text(encoding="utf-8")
    manifest = tomllib.loads(text)
    assert manifest["version"] == standee.__version__
    assert len(manifest["tagline"]) <= 64
    assert not manifest["tagline"].endswith(".")
    for reason in manifest["permissions"].values():
        assert len(reason) <= 64
        assert not reason.endswith(".")


def test_the_manifest_in_the_zip_names_the_projects_homepage(
    extension: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = extension._project() | {"urls": {"Homepage": "https://example.org/standee"}}
    monkeypatch.setattr(extension, "_project", lambda: project)
    path = extension.build("linux-x64", tmp_path)
    manifest = tomllib.loads(content(path)["blender_manifest.toml"].decode())
    assert manifest["website"] == "https://example.org/standee"
    assert set(manifest) >= {
        "schema_version",
        "id",
        "version",
        "name",
        "tagline",
        "maintainer",
        "type",
        "blender_version_min",
        "license",
        "tags",
        "copyright",
    }
    assert manifest["permissions"]


def test_the_extension_imports_nothing_by_an_absolute_name_of_its_own() -> None:
    for path in (ROOT / "blender_addon").rglob("*.py"):
        assert "import blender_addon" not in path.read_text(encoding="utf-8"), path
        assert "from blender_addon" not in path.read_text(encoding="utf-8"), path
