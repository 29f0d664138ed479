"""The installed wheel: an environment with `standee[desktop]` only, no torch, starts and connects."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SMOKE = """
import sys
from importlib.util import find_spec
from pathlib import Path

assert find_spec("torch") is None
import standee_desktop
assert "site-packages" in standee_desktop.__file__, standee_desktop.__file__
from PySide6.QtCore import QTimer
from standee_desktop.shell import application as editor
from standee_desktop.shell.assembly import Assembly

app = editor.make_application("en")
window = editor.make_window()
window.show()
editor.start(window, None)
assembly = window.findChild(Assembly)

def look():
    if assembly.link.connected:
        models = [model.name for model in assembly.link.contact.models]
        print("CONNECTED", window.isVisible(), models)
        window.close()

timer = QTimer()
timer.timeout.connect(look)
timer.start(50)
QTimer.singleShot(60_000, app.quit)
app.exec()
"""
NO_DAEMON = SMOKE.replace("assembly.link.connected", "len(assembly.notices)").replace(
    "models = [model.name for model in assembly.link.contact.models]",
    "models = [(n.text, n.fix) for n in assembly.notices]",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The Python of a fresh environment with the built wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("protocol", "backend", "desktop_app"):
        skipped = shutil.ignore_patterns("models", "training", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    venv.create(folder / "venv")
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "-q"]
    command = [*pip, "install", "--no-compile", "-c", ROOT / "constraints.txt"]
    run = subprocess.run([*command, f"{source}[desktop]"])
    if run.returncode != 0:
        pytest.skip("needs a package index")
    return python


def run(python: Path, code: str, home: Path) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"STANDEE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_editor_of_a_fresh_environment_connects(installed, studio) -> None:
    assert run(installed, SMOKE, studio.home).startswith("CONNECTED True ['mini'")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_without_a_daemon_it_offers_to_install_the_engine(installed, tmp_path) -> None:
    said = run(installed, NO_DAEMON, tmp_path / "home")
    assert "'install'" in said
