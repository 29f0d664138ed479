"""The arrows between packages point one way, and what is pinned is what is allowed."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "standee": ROOT / "protocol/standee",
    "standee_cli": ROOT / "protocol/standee_cli",
    "standee_gateway": ROOT / "protocol/standee_gateway",
    "standee_backend": ROOT / "backend/standee_backend",
    "standee_desktop": ROOT / "desktop_app/standee_desktop",
    "blender_addon": ROOT / "blender_addon",
}
TENSORS = {"torch", "diffusers", "transformers", "accelerate"}
BLENDER = {"bpy", "gpu", "mathutils", "bmesh"}
TERMINAL = {"click", "rich"}
WEB = {"starlette", "uvicorn", "mcp"}
FORBIDDEN = {
    "standee": TENSORS
    | BLENDER
    | TERMINAL
    | WEB
    | {"PySide6", "standee_cli", "standee_gateway", "standee_backend", "standee_desktop"},
    "standee_cli": TENSORS | BLENDER | WEB | {"PySide6"},
    "standee_gateway": TENSORS
    | BLENDER
    | TERMINAL
    | {"PySide6", "standee_cli", "standee_backend", "standee_desktop"},
    "standee_backend": BLENDER
    | TERMINAL
    | WEB
    | {"PySide6", "standee_cli", "standee_gateway", "standee_desktop", "training"},
    "standee_desktop": TENSORS
    | BLENDER
    | TERMINAL
    | WEB
    | {"standee_cli", "standee_gateway", "standee_backend"},
    "blender_addon": TENSORS
    | TERMINAL
    | WEB
    | {"PySide6", "standee_cli", "standee_gateway", "standee_backend", "standee_desktop"},
}
PURE = {
    "desktop_app/standee_desktop/model": {"PySide6"},
    "blender_addon/core": BLENDER,
}
"""Folders that do without what the rest of their package stands on."""
TENSORS_ALLOWED = (
    "bench/networks.py",
    "engine/",
    "worker/job_runner.py",
    "worker/memory_planner.py",
    "interruption.py",
    "hardware/options.py",
    "hardware/machine.py",
)
"""Where the backend imports torch: the engine, what runs it in the worker, and (inside functions) what
asks the device what it is."""
FLOORS = {
    "standee": (
        "layered",
        "client arrangement token_overlay pictures",
        "document pairing",
        "connection",
        "wire geometry",
        "rotation",
        "composition coded_colours",
        "image_metadata",
        "validation files images formatting",
        "errors",
    ),
    "standee_cli": (
        "main",
        "commands",
        "completion options",
        "job_runs",
        "progress",
        "console missing_packages",
        "package_installer",
        "torch_builds",
    ),
    "standee_gateway": (
        "server",
        "http_app mcp_tools",
        "http_routes",
        "http_messages",
        "daemon_link layouts layout_preview access",
        "job_feed http_errors",
    ),
    "standee_backend": (
        "bench",
        "demo daemon pipeline",
        "layout_picture",
        "cluster",
        "scheduling",
        "worker",
        "engine",
        "catalog",
        "hardware storage event_log library_noise interruption",
    ),
    "standee_desktop": (
        "__main__",
        "shell",
        "panels",
        "canvas",
        "services",
        "widgets",
        "model storage",
    ),
    "blender_addon": (
        "registration",
        "panels",
        "operators handlers",
        "viewport results",
        "jobs",
        "rendering",
        "scene",
        "preferences redraw",
        "core i18n storage",
    ),
}
"""The parts of each package, top to bottom. What stands on one floor imports only from below it."""


def module_of(file: Path) -> str:
    """Full name of the module in a file of one of the packages."""
    package, root = next((p, r) for p, r in PACKAGES.items() if file.is_relative_to(r))
    parts = [package, *file.relative_to(root).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


def imports(file: Path) -> set[str]:
    """Full names of what a file imports, wherever in it: relative imports are resolved, and what is given to
    `import_module` counts. `from a import b` is both `a` and `a.b`: whichever is a module."""
    package = module_of(file) if file.name == "__init__.py" else module_of(file).rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = resolve_name("." * node.level + (node.module or ""), package)
            names |= {home} | {f"{home}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in ("import_module", "__import__"):
                names |= {resolve_name(text, package) for text in texts(node.args[0])}
    return names


def texts(node: ast.expr) -> set[str]:
    """What a string may be: itself, or how an f-string begins."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value.rstrip(".") or "."}
    return set()


def roots(file: Path) -> set[str]:
    """The first parts of what a file imports: the packages."""
    return {name.partition(".")[0] for name in imports(file)}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    for file in PACKAGES[package].rglob("*.py"):
        wrong = roots(file) & FORBIDDEN[package]
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("folder", PURE)
def test_a_pure_folder_stays_pure(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        wrong = roots(file) & PURE[folder]
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_torch_is_imported_where_pictures_are_computed() -> None:
    backend = PACKAGES["standee_backend"]
    for file in backend.rglob("*.py"):
        if not file.relative_to(backend).as_posix().startswith(TENSORS_ALLOWED):
            wrong = roots(file) & TENSORS
            assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_lead_downstairs(package: str) -> None:
    floors = {part: n for n, floor in enumerate(FLOORS[package]) for part in floor.split()}
    for file in PACKAGES[package].rglob("*.py"):
        here = module_of(file).split(".")[1:2]
        if not here:  # the package's own file, which may offer names of all floors
            continue
        for name in imports(file):
            root, _, rest = name.partition(".")
            there = rest.partition(".")[0]
            if root == package and there in floors and there != here[0]:
                downstairs = floors[there] > floors[here[0]]
                assert downstairs, f"{file.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_of_a_package_has_a_floor(package: str) -> None:
    parts = {module_of(file).split(".")[1] for file in PACKAGES[package].rglob("*/*.py")}
    parts |= {file.stem for file in PACKAGES[package].glob("*.py")} - {"__init__"}
    assert parts == set(" ".join(FLOORS[package]).split())


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_or_folders_beside_one_another_import_each_other_in_a_circle(package: str) -> None:
    files = {module_of(file): file for file in PACKAGES[package].rglob("*.py")}
    arrows: dict[str, set[str]] = {}
    for module, file in files.items():
        for name in imports(file):
            target = name if name in files else name.rpartition(".")[0]
            if target in files and (pair := siblings(module, target)):
                arrows.setdefault(pair[0], set()).add(pair[1])
    TopologicalSorter(arrows).prepare()  # raises CycleError, which names the circle


def siblings(one: str, other: str) -> tuple[str, str] | None:
    """The two neighbours in one folder that hold these modules; None if one holds the other."""
    a, b = one.split("."), other.split(".")
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    return None if same is None else (".".join(a[: same + 1]), ".".join(b[: same + 1]))


def test_nothing_but_the_daemons_own_start_imports_the_daemon() -> None:
    for package in PACKAGES:
        for file in PACKAGES[package].rglob("*.py"):
            if file.is_relative_to(PACKAGES["standee_backend"] / "daemon"):
                continue
            wrong = any(name.startswith("standee_backend.daemon") for name in imports(file))
            starts = file.name == "serve.py"  # `standee serve` runs it in the foreground
            assert not wrong or starts, f"{file.relative_to(ROOT)} imports the daemon"


def test_the_client_comes_up_without_torch() -> None:
    code = "import sys, standee; standee.Composition; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = chain(project["dependencies"], *project["optional-dependencies"].values())
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    for requirement in map(Requirement, ranges):
        assert pins[requirement.name] in requirement.specifier, requirement


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]
    for document in documents:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def modules(folder: Path) -> list[Path]:
    """The modules of a folder, save those that only make it a package."""
    return [file for file in folder.glob("*.py") if file.name != "__init__.py"]


TREE = ("protocol", "backend", "desktop_app", "blender_addon", "benchmarks", "scripts", "tests")


@pytest.mark.parametrize("part", TREE)
def test_folders_and_files_are_small_enough_to_look_through(part: str) -> None:
    sizes = {}
    for file in (ROOT / part).rglob("*.py"):
        sizes[file.relative_to(ROOT).as_posix()] = len(file.read_text("utf-8").splitlines()), 400
        folder = file.parent
        sizes[folder.relative_to(ROOT).as_posix()] = len(modules(folder)), 15
    for name, (size, limit) in sizes.items():
        assert size <= limit, f"{name} has {size}, over {limit}"


QUESTIONS_AND_VERBS = {
    *("What", "How", "Whether", "Where", "Which", "Who", "From"),
    *(
        "Read",
        "Make",
        "Bring",
        "Drive",
        "Write",
        "Find",
        "Get",
        "Create",
        "Compute",
        "Decide",
        "Return",
    ),
    *(
        "Reads",
        "Makes",
        "Brings",
        "Drives",
        "Writes",
        "Finds",
        "Runs",
        "Watches",
        "Decides",
        "Starts",
    ),
}


@pytest.mark.parametrize("part", TREE[:-1])
def test_first_lines_of_modules_are_short_noun_phrases(part: str) -> None:
    for file in (ROOT / part).rglob("*.py"):
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        line = said.partition("\n")[0]
        assert line, f"{file.relative_to(ROOT)} does not say what lives in it"
        assert len(line) <= 100, f"{file.relative_to(ROOT)}: {len(line)} characters"
        first = line.split()[0].strip("`:,.")
        assert first not in QUESTIONS_AND_VERBS, f"{file.relative_to(ROOT)}: {line}"


def test_a_compositions_way_has_twelve_stations_in_files_that_exist() -> None:
    page = (ROOT / "docs/composition-way.md").read_text("utf-8")
    stations = [line for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    files = re.findall(r"`([a-z_/]+\.py)`", page)
    assert len(stations) <= 12
    assert len(files) == len(set(files)) <= 15
    for file in files:
        assert (ROOT / file).is_file(), f"{file} is no station any more"
