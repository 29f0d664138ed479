"""Odd inputs on the command line: each file of a folder in all its roles, composed twice.

    python scripts/odd_inputs.py FOLDER

A picture is a subject, a mask, a scene and what a scene keeps, a safetensors file a LoRA and a model; every file is
also composed as it is. Good is: no traceback, nothing "unforeseen", the exit code that docs/cli.md promises for the
error, and the same pixels or the same error the second time. It starts a daemon of its own, with the bundled model.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standee.images import SUFFIXES
from standee_cli.console import EXITS, ExitCode
from standee_cli.main import main as standee

SUBJECT = {"x": 16, "y": 16, "w": 32, "h": 32}
SAID_OF_BUGS = ("Traceback", "unforeseen", "Something went wrong")


@dataclass(frozen=True)
class Ran:
    """How a composing ended: its exit code, the error's code, what was said, and the picture's digest."""

    code: int
    error: str
    said: str
    picture: str

    @property
    def end(self) -> tuple[int, str, str]:
        """What has to be the same each time; what is said of the memory may differ."""
        return self.code, self.error, self.picture

    @property
    def wrong(self) -> str:
        """Why it is no good end; empty if it is one."""
        if any(words in self.said for words in SAID_OF_BUGS):
            return "a bug shows"
        if self.code == ExitCode.OK:
            return "" if self.picture else "there is no picture"
        if not self.error:
            return "there is no error"
        return "" if self.code == EXITS.get(self.error, ExitCode.FAILED) else "another exit code"


def roles(file: Path, plain: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each role that a file can have, and a composition in which it has it."""
    size = {"canvas": {"width": 64, "height": 64}, "prompt": "a red ball in a meadow"}
    few, name, other = {"steps": 2, "seed": 1}, str(file), str(plain)
    if file.suffix in SUFFIXES:
        layer = {"picture": name, "rect": SUBJECT}
        yield "subject", size | {"layers": [layer], "sampling": few}
        yield "mask", size | {"layers": [layer | {"picture": other, "mask": name}], "sampling": few}
        yield "scene", size | {"scene": {"picture": name}, "sampling": few}
        yield "kept", size | {"scene": {"picture": other, "kept": name}, "sampling": few}
    elif file.suffix == ".safetensors":
        yield "lora", size | {"sampling": few | {"loras": [{"path": name}]}}
        yield "model", size | {"sampling": few | {"model": name}}


def compose(arguments: list[str], out: Path) -> Ran:
    """Run the command line in this process."""
    out.unlink(missing_ok=True)
    answer, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(answer), contextlib.redirect_stderr(said):
        code = standee(["compose", *arguments, "-o", str(out), "--json", "-q"])
    error = ""
    with contextlib.suppress(ValueError, AttributeError):
        error = json.loads(answer.getvalue()).get("error", {}).get("code", "")
    picture = hashlib.sha256(_pixels(out)).hexdigest() if code == ExitCode.OK else ""
    return Ran(code, error, answer.getvalue() + said.getvalue(), picture)


def _pixels(out: Path) -> bytes:
    from PIL import Image

    with Image.open(out) as picture:
        return picture.convert("RGB").tobytes()


def main(folder: Path) -> int:
    """Compose all, print how each ended, and return 1 if any of them ended badly."""
    from PIL import Image

    bad = 0
    with tempfile.TemporaryDirectory(prefix="standee-odd-") as temporary:
        home = Path(temporary)
        os.environ["STANDEE_HOME"] = str(home / "home")
        plain, given, out = home / "plain.png", home / "given.json", home / "out.png"
        Image.new("RGB", (64, 64), "teal").save(plain)
        try:
            for file in sorted(path for path in folder.iterdir() if path.is_file()):
                tries = [("file", [str(file)])]
                for role, composition in roles(file, plain):
                    path = given.with_stem(role)
                    path.write_text(json.dumps(composition))
                    tries.append((role, [str(path)]))
                for role, arguments in tries:
                    began = time.monotonic()
                    first, second = (compose(arguments, out) for _ in range(2))
                    wrong = first.wrong or ("" if first.end == second.end else "not twice the same")
                    bad += bool(wrong)
                    took = f"{time.monotonic() - began:5.1f} s"
                    end = first.error or "a picture"
                    print(
                        f"{file.name:34} {role:8} {first.code} {end:16} {took} {wrong}", flush=True
                    )
                    if wrong:
                        print(
                            first.said, second.said if second.end != first.end else "", flush=True
                        )
        finally:
            with contextlib.redirect_stderr(io.StringIO()):
                standee(["serve", "--stop"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
