"""Installation of packages by uv, or pip where there is no uv; whatever goes wrong is one line.

Standard library only, in the syntax of Python 3.6: `scripts/setup.py` reads this before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Callable, Dict, List, Optional

from .torch_builds import TorchBuild

SETTINGS = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CONSTRAINT": "UV_CONSTRAINT",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""What people tell pip about their network, and what uv calls it."""


def venv_python(folder: Path, system: str = os.name) -> Path:
    """Return where the Python of a virtual environment lies on a `system`, as `os.name` calls it."""
    return folder / ("Scripts/python.exe" if system == "nt" else "bin/python")


class InstallError(Exception):
    """Installing cannot go on; the message is one line: what is wrong, and the fix."""


class Installer:
    """Installs into the environment of `python`, writes what uv or pip says to `log`, and shows how far it is."""

    def __init__(self, python: Path, log: Path) -> None:
        self.python, self.log = python, log
        self.uv = shutil.which("uv")

    @property
    def name(self) -> str:
        """`uv` or `pip`."""
        return "uv" if self.uv else "pip"

    def command(self, what: str) -> "List[str]":
        """Return how a command of pip's, as `install`, begins. Raises `InstallError` without uv and pip."""
        if self.uv:
            return [self.uv, "pip", what, "--python", str(self.python)]
        if run(
            str(self.python), "-c", "import importlib.util as i; i.find_spec('pip').name"
        ).returncode:
            raise InstallError(
                f"there is no uv, and {self.python} has no pip. Fix: {self.python} -m ensurepip, or get uv from "
                "https://docs.astral.sh/uv"
            )
        start = [str(self.python), "-m", "pip", what, "--no-input", "--disable-pip-version-check"]
        return [*start, "--progress-bar", "off"] if what == "install" else start

    def install(self, *arguments: str) -> None:
        """Install what the arguments name, as pip and uv both understand them. Raises `InstallError`."""
        self._run([*self.command("install"), *arguments])

    def install_torch(
        self, requirement: str, build: TorchBuild, say: "Callable[[str], object]", *arguments: str
    ) -> None:
        """Install torch in a build; where PyTorch's index cannot be reached or lacks it, the usual index's.

        `arguments` are for the packages that torch needs, as `--constraint`. Raises `InstallError`.
        """
        say(build.reason)
        if build.url is not None and reachable(build.url + "/torch/"):
            index = ("--index-url", build.url)
            try:
                if build.name == "cpu":  # what it needs comes from the usual index, with the rest
                    self.install(requirement, "--no-deps", *index)
                else:
                    self.install(requirement, *index, *arguments)
                return
            except InstallError:
                say(f"{build.url} has no such build; taking the usual index's.")
        elif build.url is not None:
            say(f"{build.url} cannot be reached; taking the usual index's.")
        self.install(requirement, *arguments)

    def uninstall(self, package: str) -> None:
        """Remove a package, so that another build of it can be installed. Raises `InstallError`."""
        command = self.command("uninstall")
        self._run([*command, package] if self.uv else [*command, "--yes", package])

    def _run(self, command: "List[str]") -> None:
        output = []
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environment(),
        ) as process, self.log.open("a", encoding="utf-8") as log:
            assert process.stdout is not None
            for line in process.stdout:
                output.append(line)
                log.write(line)
                show_progress(line)
        show_progress("")
        if process.returncode != 0:
            raise InstallError(explain("".join(output), self.python, self.log))


def environment() -> "Dict[str, str]":
    """Return the environment for uv and pip: uv heeds what pip was told, unless it was told itself."""
    known = dict(os.environ)
    for of_pip, of_uv in SETTINGS.items():
        if known.get(of_pip):
            known.setdefault(of_uv, known[of_pip])
    return known


def reachable(url: str) -> bool:
    """Whether a page answers within three seconds."""
    try:
        request = urllib.request.Request(url, method="HEAD")
        return bool(urllib.request.urlopen(request, timeout=3).status == 200)
    except (OSError, ValueError):
        return False


def show_progress(line: str) -> None:
    """Replace the last line of a terminal; elsewhere print large downloads only. Goes to stderr, as no answer."""
    line = line.strip()
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 3
        said = "  " + line[:width] if line else ""
        print("\r\x1b[2K" + said, end="", file=sys.stderr, flush=True)
    elif re.match(r"Downloading .* \(?[\d.]+ ?(M|G)i?B", line):
        print("  " + line, file=sys.stderr, flush=True)


UNREACHABLE = (
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|Temporary failure in name resolution|Network is unreachable|Connection refused"
    r"|dns error|tcp connect error|client error \(Connect\)|operation timed out"
)
MISSING = re.compile(
    r"No matching distribution found for (.+)"
    r"|there (?:is|are) no versions? of (.+?) and you require|no wheels with a matching (.+?) tag"
)


def explain(output: str, python: Path, log: "Optional[Path]" = None) -> str:
    """Return the one line that a person needs out of what a failed command printed."""
    folder = python.parents[1]
    all_of_it = "" if log is None else f"; details in {log}"
    if re.search(r"No space left on device|Errno 28|os error 28|not enough space", output):
        return (
            f"the disk of {folder} or of the temporary folder is full. Fix: free 3 GB (10 GB with an "
            "NVIDIA GPU), or set TMPDIR to a folder with room; the same command goes on from "
            "here."
        )
    if re.search(UNREACHABLE, output):
        return (
            "the package index cannot be reached. Fix: connect to the internet, or name your "
            f"mirror with PIP_INDEX_URL (proxy: HTTPS_PROXY){all_of_it}"
        )
    if "externally-managed-environment" in output or "externally managed" in output:
        return (
            f"the Python of {folder} belongs to the system, which does not let packages be installed. "
            "Fix: install Standee into an environment of its own: python3 -m venv, or "
            "uv tool install"
        )
    missing = MISSING.search(output)
    if missing:
        what = next(filter(None, missing.groups())).strip()
        return (
            f"your package index has no {what} for this Python and machine. Fix: use another Python "
            f"(make test PYTHON=python3.12) or index (PIP_INDEX_URL){all_of_it}"
        )
    if re.search(r"WinError (5|32)\b|os error (5|32)\b|used by another process", output):
        return (
            f"Windows keeps a file of {folder} that a running program has open. Fix: close the editor, run "
            "`standee serve --stop`, and then the same command again"
        )
    if re.search(r"Permission denied|Errno 13|os error 13", output):
        return f"may not write to {folder}. Fix: make it yours (sudo chown -R $USER {folder})"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    last = (errors or lines or ["no reason given"])[-1]
    return f"installing failed: {last}{all_of_it}"


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; stdout holds all that it printed. A missing command gives 127."""
    try:
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, stdout=str(error))
