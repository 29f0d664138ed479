"""Memory of jobs: predicted against measured, preset by preset, side by side in one run.

    python benchmarks/memory.py --model FLUX.1-dev [--folder FOLDER] [--presets "16 GB,8 GB"] [--subjects 3]
    python benchmarks/memory.py --write

A published model is made with random weights in `--folder` first, unless that holds one already: 36 GB for FLUX.1,
which the host's memory must hold too. On a CUDA device the measured peak is torch's own; a CPU cannot tell. `--write`
needs neither weights nor device: it writes what the published models take into the package, for `standee doctor`.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import published
import torch
from measuring.cases import Blobs
from PIL import Image

from standee.composition import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.catalog.sampling_defaults import SamplingDefaults
from standee_backend.engine.compose import compose
from standee_backend.engine.families import open_family
from standee_backend.engine.loading.load import DTYPES, load
from standee_backend.engine.loading.quantization import tile
from standee_backend.engine.memory.footprint import META, Blueprint, outline
from standee_backend.engine.memory.workload import Workload, workload_of
from standee_backend.hardware import load_presets, memory_estimate
from standee_backend.hardware.load_presets import presets
from standee_backend.hardware.machine import FOOTPRINTS
from standee_backend.hardware.options import Options, resolve
from standee_backend.library_noise import be_quiet
from standee_backend.worker.memory_planner import exhausted, give_back

GOAL = memory_estimate.TOLERANCE
SHIPPED = (
    *("FLUX.1-dev", "FLUX.2-klein-4B", "FLUX.2-klein-9B", "Z-Image-Turbo"),
    *(
        "FLUX.1-Kontext-dev",
        "FLUX.2-dev",
        "Krea-2-Turbo",
        "Qwen-Image-2512",
        "Qwen-Image-Edit-2511",
    ),
)
TYPICAL = Workload(
    rows=64, cols=64, crops=((26, 26, 576),) * 3, prompts=("", "a meadow"), anchored=True
)
"""A picture of 1024 x 1024 px with three subjects of 384 px."""


def main() -> int:
    """Run the benchmark; exit status 1 when a preset misses the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="FLUX.1-dev", help=", ".join(published.MODELS))
    parser.add_argument("--folder", type=Path, help="where the model is or shall be")
    parser.add_argument("--size", type=int, default=1024, help="the canvas' sides in px")
    parser.add_argument("--subjects", type=int, default=3)
    parser.add_argument("--presets", default="", help="names, with commas between; default all")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    be_quiet()
    if given.write:
        FOOTPRINTS.write_text(shipped() + "\n", "utf-8")
        return 0
    if not torch.cuda.is_available():
        parser.error("measuring needs a CUDA device; the tests measure tiny models on a CPU.")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="standee-memory-"))
    if not (folder / "model_index.json").is_file():
        published.save(given.model, folder, "cuda" if given.model.startswith("Z") else "cpu")
    names = [name.strip() for name in given.presets.split(",") if name.strip()]
    report = [
        measure(folder, preset, given.size, given.subjects)
        for preset in presets(Options(), "cuda")
        if not names or preset.name in names
    ]
    if given.json:
        given.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if all(row["met"] for row in report) else 1


def measure(folder: Path, preset: load_presets.Preset, size: int, subjects: int) -> dict[str, Any]:
    """Compose once with a preset; return the predicted and the measured peak in GiB, and their ratio."""
    device, _ = resolve(Options())
    blobs = Blobs()
    composition = layers(folder, size, subjects, blobs)
    blueprint = Blueprint(outline(folder, DTYPES[preset.dtype], device))
    footprint = blueprint.footprint(workload_of(composition, blueprint.family))
    row: dict[str, Any] = {
        "preset": preset.name,
        "predicted": memory_estimate.peak(footprint, preset) / load_presets.GIB,
        "host": memory_estimate.host(footprint, preset) / load_presets.GIB,
    }
    try:
        family = load(catalog.find(str(folder)), Options(), preset)
        torch.cuda.synchronize(device)
        row["loading"] = torch.cuda.max_memory_allocated(device) / load_presets.GIB
        torch.cuda.reset_peak_memory_stats(device)
        compose(family, composition, blobs.read, seed=1).finish()
        family.release()
        row["measured"] = torch.cuda.max_memory_allocated(device) / load_presets.GIB
        row["ratio"] = row["predicted"] / row["measured"]
    except Exception as error:
        if not exhausted(error):
            raise
        row["failed"] = "out of memory"
    family = None
    give_back()
    torch.cuda.reset_peak_memory_stats(device)
    row["met"] = abs(row.get("ratio", 0.0) - 1) <= GOAL
    numbers = " ".join(
        f"{key} {row[key]:.2f}" for key in ("predicted", "measured", "ratio") if key in row
    )
    print(f"{'met   ' if row['met'] else 'MISSED'} {preset.name:6} {numbers}", flush=True)
    return row


def layers(folder: Path, size: int, count: int, blobs: Blobs) -> Composition:
    """Stand opaque squares of three eighths of the canvas in a row, each overlapping the one before."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "PNG")
    digest, side = blobs.add(picture.getvalue()), size * 3 / 8
    placed = tuple(
        Layer(picture=digest, rect=Rect(index * size / 7, size / 3, side, side))
        for index in range(count)
    )
    return Composition(
        canvas=Canvas(size, size),
        prompt="a meadow",
        layers=placed,
        sampling=Sampling(model=str(folder), steps=4),
    )


def shipped() -> str:
    """Return what the published models take with a typical job, as JSON."""
    found = {model: footprint(model) for model in SHIPPED}
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode()


def footprint(model: str) -> memory_estimate.Footprint:
    """Return what a published model takes with a typical job, in bf16 and without its weights."""
    pipeline = published.build(model)
    tile(pipeline)
    kind = catalog.ModelInfo(name=model, pipeline=type(pipeline).__name__)
    blueprint = Blueprint(open_family(pipeline, META, kind, SamplingDefaults()))
    return blueprint.footprint(TYPICAL)


if __name__ == "__main__":
    sys.exit(main())
