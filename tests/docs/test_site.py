"""The documentation as a site: it builds without a warning, and fetches nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("material", "mkdocstrings"):
        pytest.importorskip(package, reason="needs standee[docs]")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_each_page_is_in_it(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        made = site / page.relative_to(ROOT / "docs").with_suffix("") / "index.html"
        assert made.is_file() or page.name == "index.md", f"{page.name} is not in the site"
    assert (site / "index.html").is_file()
    assert (site / "composition.schema.json").is_file()
    assert not list(site.rglob("*.py"))


def test_what_belongs_to_a_point_of_a_list_is_indented_by_four() -> None:
    """Markdown of other makers takes three; the site would end the list there, and count anew."""
    for page in (ROOT / "docs").rglob("*.md"):
        short = re.findall(r"\n\n {1,3}(\S.*)", page.read_text("utf-8"))
        assert not short, f"{page.name}: {short}"


def test_the_python_reference_is_made_of_docstrings(site: Path) -> None:
    page = (site / "reference/python/index.html").read_text("utf-8")
    assert "Upload the pictures that the daemon lacks" in page
    assert ":::" not in page


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        fetched = re.findall(r"<(?:script|img|iframe)[^>]*\bsrc=.?https?:[^>]*>", text)
        fetched += re.findall(r"<link[^>]*rel=.?(?:stylesheet|preconnect)[^>]*https?:[^>]*>", text)
        assert not fetched, f"{page.relative_to(site)} fetches {fetched}"
        assert 'class="mermaid"' not in text, "diagrams would bring a script from elsewhere"
