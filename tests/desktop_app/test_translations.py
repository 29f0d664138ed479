"""Translation catalogues: complete, compiled and shown."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "desktop_app" / "standee_desktop" / "translations"


def test_every_text_has_a_translation_and_it_is_compiled(tmp_path: Path) -> None:
    if not CATALOGUES.with_name("shell").joinpath("application.py").is_file():
        pytest.skip("needs the source tree")
    script = ROOT / "desktop_app" / "update_translations.py"
    spec = importlib.util.spec_from_file_location("update_translations", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for file in CATALOGUES.glob("*.ts"):
        shutil.copy(file, tmp_path)
    assert module.update(tmp_path) == 0, "translate what is unfinished in translations/*.ts"
    for file in tmp_path.glob("*.qm"):
        fresh = file.read_bytes() == (CATALOGUES / file.name).read_bytes()
        assert fresh, "run desktop_app/update_translations.py"


def test_the_interface_speaks_chinese_and_counts_in_english(app, settle) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.application import translate
    from standee_desktop.shell.window import MainWindow

    try:
        translate(app, "zh_CN")
        window = MainWindow()
        assert window.panel("layers").windowTitle() == "图层"
        assert window.action("duplicate").text() == "创建副本(&D)"
        window.close()
    finally:
        translate(app, "en")
    window = MainWindow()
    assert window.status._selection.text() == "0 layers"
    window.close()
