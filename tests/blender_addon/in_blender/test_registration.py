"""Registration: all that enabling adds, disabling removes; every word has a tooltip."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from tests.blender_addon.in_blender.conftest import ROOT, platform_here


def everything():
    """What an extension could leave behind."""
    handlers = {
        name: len(getattr(bpy.app.handlers, name))
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
    }
    classes = {name for name in dir(bpy.types) if "standee" in name.lower()}
    ops = "standee" in dir(bpy.ops) and dir(bpy.ops.standee)
    return handlers, classes, ops, hasattr(bpy.types.Scene, "standee")


def test_disabling_leaves_nothing_behind(addon, installed):
    bpy.ops.preferences.addon_disable(module=installed)
    before = everything()
    bpy.ops.preferences.addon_enable(module=installed)
    during = everything()
    bpy.ops.preferences.addon_disable(module=installed)
    assert everything() == before
    assert during[3]
    assert not before[3]
    assert not before[1]
    bpy.ops.preferences.addon_enable(module=installed)


def test_the_timer_stops_with_the_extension(addon, installed, standee, subject, daemon):
    link = addon("jobs.daemon_link")
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.compose()
    tick = link._tick
    assert bpy.app.timers.is_registered(tick)
    bpy.ops.preferences.addon_disable(module=installed)
    assert not bpy.app.timers.is_registered(tick)
    bpy.ops.preferences.addon_enable(module=installed)


def test_the_client_comes_from_the_bundled_wheel(addon):
    import standee

    assert "extensions" in standee.__file__
    assert "torch" not in sys.modules


def words(addon):
    """Every label and tooltip of the extension: (where, text)."""
    found = []
    for name in dir(bpy.ops.standee):
        kind = getattr(bpy.ops.standee, name).get_rna_type()
        found += [(name, kind.name), (name, kind.description)]
        found += of_properties(name, kind)
    for group in (*addon("scene.scene_properties").CLASSES, *addon("preferences").CLASSES):
        found += of_properties(group.__name__, group.bl_rna)
    for name in dir(bpy.types):
        if name.startswith("STANDEE_PT_"):
            found.append((name, getattr(bpy.types, name).bl_label))
    return found


OF_BLENDER = {"rna_type", "bl_idname", "name", "filepath", "filter_glob", "check_existing"}


def of_properties(where, kind):
    found = []
    for one in kind.properties:
        if one.is_hidden or one.identifier in OF_BLENDER or one.identifier.startswith("filter_"):
            continue
        if one.type in ("COLLECTION", "POINTER") and one.identifier in ("id_data",):
            continue
        found += [(f"{where}.{one.identifier}", one.name)]
        if one.type != "COLLECTION":
            found += [(f"{where}.{one.identifier}", one.description)]
        if one.type == "ENUM":
            for item in one.enum_items:
                found += [(f"{where}.{one.identifier}", item.name)]
                found += [(f"{where}.{one.identifier}", item.description)]
    return found


@pytest.mark.parametrize("language", ["zh_HANS"])
def test_every_word_has_a_translation(addon, language):
    table = addon("i18n.translations").table()[language]
    active = ("active_layer", "active_result", "active_prompt")  # indices; never shown
    missing = {
        (where, text)
        for where, text in words(addon)
        if text and ("*", text) not in table and not where.endswith(active)
    }
    assert not missing


def test_every_property_and_operator_has_a_tooltip(addon):
    bare = [where for where, text in words(addon) if not text and "active_" not in where]
    bare = [where for where in bare if where.split(".")[-1] not in ("files", "directory")]
    assert not bare


def test_words_are_shown_in_chinese(addon):
    view = bpy.context.preferences.view
    language = view.language
    try:
        view.language = "zh_HANS"
    except TypeError:
        pytest.skip("this Blender has no languages")
    try:
        view.use_translate_interface = True
        assert bpy.app.translations.pgettext_iface("Enlarge Camera Frame") == "扩大相机画框"
    finally:
        view.language = language


INSTALL_TWICE = """
import sys
from pathlib import Path
import bpy
bpy.ops.preferences.addon_enable(module="bl_pkg")
home = Path(bpy.utils.user_resource("EXTENSIONS")) / ".local"
for path in sys.argv[1:]:
    bpy.ops.extensions.package_install_files(
        filepath=path, repo="user_default", enable_on_install=True, overwrite=True
    )
    print("FOUND", len(list(home.rglob("standee/rebuilt.py"))),
          len(list(home.rglob("standee-*.dist-info"))), flush=True)
bpy.ops.preferences.addon_disable(module="bl_ext.user_default.standee")
"""


def test_a_rebuilt_zip_brings_its_own_client(tmp_path):
    import extension

    before = extension.build(platform_here(), tmp_path / "before")
    folder = tmp_path / "standee"
    shutil.copytree(extension.CLIENT, folder)
    (folder / "rebuilt.py").write_text("WHEN = 'just now'\n")
    original, extension.CLIENT = extension.CLIENT, folder
    try:
        after = extension.build(platform_here(), tmp_path / "after")
    finally:
        extension.CLIENT = original
    done = subprocess.run(
        [sys.executable, "-c", INSTALL_TWICE, str(before), str(after)],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert found == ["FOUND 0 1", "FOUND 1 1"], done.stdout[-2000:] + done.stderr[-2000:]


def test_blenders_own_validator_accepts_the_zip(tmp_path):
    import extension  # scripts/ is on the path since the zip was installed

    path = extension.build(platform_here(), tmp_path)
    assert path.stat().st_size < 8 * 2**20
    scripts = Path(bpy.utils.system_resource("SCRIPTS"))
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    command = [sys.executable, str(tool), "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path):
    """Lists the zips in a folder, as releasing does."""
    if not (ROOT / ".venv-bpy" / "standee-ready.txt").is_file():
        pytest.skip("needs Blender as a module in the checkout: `make blender` brings it")
    command = [sys.executable, str(ROOT / "scripts/blender.py"), "repository", str(tmp_path)]
    return lambda: subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_of_zips_becomes_a_repository(repository, tmp_path):
    import extension

    built = extension.build(platform_here(), tmp_path)
    done = repository()
    assert done.returncode == 0, done.stderr
    [listed] = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))["data"]
    assert (listed["id"], listed["platforms"]) == ("standee", [platform_here()])
    assert (tmp_path / listed["archive_url"]).resolve() == built.resolve()
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    assert listed["archive_hash"] == f"sha256:{digest}"
    assert (tmp_path / "index.html").is_file()


def test_an_empty_folder_is_no_repository(repository, tmp_path):
    done = repository()
    assert done.returncode == 1
    assert "make extension" in done.stderr
    assert not (tmp_path / "index.json").exists()
