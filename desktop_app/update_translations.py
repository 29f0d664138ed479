"""Translation catalogue update: `python desktop_app/update_translations.py`.

`lupdate` collects the texts of the editor into `translations/standee_*.ts`, `lrelease` compiles those into the
`.qm` files that the editor loads. Both come with PySide6-Essentials. Run it after changing a text; then translate
what is marked unfinished in the .ts file, and run it again. English has a catalogue for its plurals only.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent / "standee_desktop"
CATALOGUES = PACKAGE / "translations"


def main() -> int:
    """Update and compile all catalogues; returns 1 while texts wait for a translation."""
    return 1 if update(CATALOGUES) else 0


def update(folder: Path) -> int:
    """Update and compile the catalogues in a folder; returns how many texts wait for a translation."""
    tools = Path(sys.executable).parent
    sources = sorted(str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py"))
    waiting = 0
    for language, options in (("en", ["-pluralonly"]), ("zh_CN", [])):
        catalogue = folder / f"standee_{language}.ts"
        command = [str(tools / "pyside6-lupdate"), *sources, "-silent", "-no-obsolete"]
        command += ["-locations", "none", "-source-language", "en", "-target-language", language]
        subprocess.run([*command, *options, "-ts", str(catalogue)], cwd=PACKAGE, check=True)
        compiled = catalogue.with_suffix(".qm")
        release = [str(tools / "pyside6-lrelease"), "-silent", str(catalogue), "-qm", str(compiled)]
        subprocess.run(release, check=True)
        unfinished = catalogue.read_text(encoding="utf-8").count('type="unfinished"')
        print(f"{catalogue.name}: {unfinished} unfinished")
        waiting += unfinished
    return waiting


if __name__ == "__main__":
    sys.exit(main())
