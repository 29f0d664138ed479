"""Further training of the bundled model in minutes, on a borrowed card without a network.

`prepare` gathers what must travel with the checkout, `run` trains there, measures, and leaves a few files of a size
that comes back. scripts/train_on_gpu.sh calls both.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import AutoencoderDC
from PIL import Image

from training import evaluate, export, pictures, scenes, transformer, vae
from training.presets import PRESETS, Preset
from training.world import data, rendering

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "backend/standee_backend/models/mini"
WHEELS = ("diffusers==0.42.1", "importlib_metadata==10.2.0")  # what images with PyTorch often lack
ROOM = 64 * 2**20  # bytes that travel: the checkout and the folder
PART = 15 * 2**20  # bytes of a file that comes back
QUALITY = 92  # of carried photographs and of the sheets
DECODER = 1 / 7  # of the minutes; the transformer gets the others
FIRST = 16  # chunks that are awaited before training begins
RESERVE = 2  # cores that do not render


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long a run takes: `FULL` on a card, `REHEARSAL` to see on any CPU that all of it works."""

    preset: Preset
    minutes: float
    chunks: int
    first: int
    shown: int  # scenes and prompts to measure
    steps: int  # of a sample


FULL = Budget(PRESETS["gpu"], 7.0, PRESETS["gpu"].chunks, FIRST, 16, evaluate.STEPS)
REHEARSAL = Budget(
    dataclasses.replace(PRESETS["gpu"], tokens=256, vae_crops=4), 0.5, 2, 1, 1, steps=2
)


def prepare(folder: Path) -> None:
    """Fill `folder`: the figures that training uses, photographs, wheels. Raises ValueError where it is too large."""
    folder.mkdir(parents=True, exist_ok=True)
    tarball = folder / "fluent-emoji-3d.tgz"
    if not tarball.exists():
        _pack_figures(data.download(folder / "whole.part"), tarball)
    photographs = folder / "photographs"
    if not photographs.exists():
        photographs.mkdir()
        for path in pictures.download(folder / "whole.part").iterdir():
            picture = Image.open(path).convert("RGB")
            picture.save(photographs / f"{path.stem}.webp", quality=QUALITY)
    shutil.rmtree(folder / "whole.part", ignore_errors=True)
    shutil.rmtree(folder / "wheels", ignore_errors=True)  # no version beside another
    pictures.pip_download(folder / "wheels", WHEELS)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) + _checkout()
    print(f"{folder} and the checkout: {size / 2**20:.1f} MiB of {ROOM / 2**20:.0f}")
    if size > ROOM:
        raise ValueError(f"{folder} and the checkout are larger than {ROOM / 2**20:.0f} MiB")


def _pack_figures(whole: Path, target: Path) -> None:
    """The package without what `load_figures` leaves out: a third of its size."""
    used = {figure.codepoint for figure in data.load_figures(whole)}
    partial = target.with_suffix(".part")
    with tarfile.open(whole) as source, tarfile.open(partial, "w:gz") as made:
        for member in source:
            if data.codepoint(member.name) in used:
                made.addfile(member, source.extractfile(member))
    partial.rename(target)


def _checkout() -> int:
    """Bytes of the files that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    paths = (REPOSITORY / name for name in listed.stdout.split("\0") if name)
    return sum(path.stat().st_size for path in paths if path.is_file())


def run(carried: Path, work: Path, out: Path, device: torch.device, budget: Budget) -> None:
    """Train the bundled weights further and leave the result in `out`, see `pack`."""
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(carried / "fluent-emoji-3d.tgz", work)
    shutil.copytree(carried / "photographs", work / "photographs", dirs_exist_ok=True)
    figures = data.load_figures(data.download(work))
    names, made = [figure.name for figure in figures], work / "mini"
    export.take_up(MODEL, work, budget.preset, names)

    def save_vae(autoencoder: AutoencoderDC) -> None:
        autoencoder.save_pretrained(work / "vae")

    def save(mini: transformer.Mini) -> None:
        export.export(made, mini, AutoencoderDC.from_pretrained(work / "vae"))
        export.write_held_out(made, data.split(figures)[1])

    # Encoders stay as they are, so scenes may be encoded while the decoder learns.
    with _scenes_beside(work, device, budget):
        minutes = budget.minutes * DECODER
        vae.train(work, budget.preset, device, minutes, save_vae)
        transformer.train(
            work, budget.preset, names, device, budget.minutes - minutes, save, budget.minutes
        )
    print(f"{len(scenes.stored(work)) * rendering.CHUNK} scenes", flush=True)
    evaluate.evaluate(made, work, device, count=budget.shown, steps=budget.steps)
    pack(made, work / "evaluation", out)


@contextlib.contextmanager
def _scenes_beside(work: Path, device: torch.device, budget: Budget) -> Iterator[None]:
    """Have another process render and encode scenes meanwhile; begin as soon as there are a few."""
    jobs = max(2, (os.cpu_count() or 1) - RESERVE)
    command = [sys.executable, "-m", "training.train", "scenes", "--work", str(work)]
    command += ["--device", device.type, "--jobs", str(jobs), "--chunks", str(budget.chunks)]
    single = os.environ | {"OMP_NUM_THREADS": "1"}  # each of many processes
    log = work / "scenes.log"
    with (
        log.open("w") as written,
        subprocess.Popen(command, env=single, stdout=written, stderr=written) as process,
    ):
        try:
            while len(scenes.stored(work)) < budget.first:
                if process.poll():
                    raise RuntimeError(f"no scenes could be rendered:\n{log.read_text()}")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def pack(made: Path, sheets: Path, out: Path) -> None:
    """At most eight files of at most 16 MiB: mini.tar.0, mini.tar.1 ... joined hold the pipeline; numbers; sheets."""
    out.mkdir(parents=True, exist_ok=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(made, "mini")
    whole = archive.getvalue()
    for index, start in enumerate(range(0, len(whole), PART)):
        (out / f"mini.tar.{index}").write_bytes(whole[start : start + PART])
    shutil.copy(sheets / "numbers.json", out)
    square, wide = ("{}x{}".format(*canvas) for canvas in evaluate.CANVASES)
    for name in (f"prompts_{square}", f"prompts_{wide}", f"placements_{square}"):
        Image.open(sheets / f"{name}.png").save(out / f"{name}.jpg", quality=QUALITY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("prepare", "run"))
    parser.add_argument("--carried", type=Path, default=REPOSITORY / ".gpu")
    parser.add_argument("--work", type=Path, help="a folder for everything that is made on the way")
    parser.add_argument("--out", type=Path, help="where the weights and figures go")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, in two minutes")
    options = parser.parse_args()
    if options.stage == "prepare":
        prepare(options.carried)
        return
    if not (options.work and options.out):
        parser.error("run needs --work and --out")
    if not options.rehearse and not torch.cuda.is_available():
        parser.error("PyTorch finds no card; --rehearse runs on the CPU")
    torch.set_float32_matmul_precision("high")
    device = torch.device("cpu" if options.rehearse else "cuda")
    run(options.carried, options.work, options.out, device, REHEARSAL if options.rehearse else FULL)


if __name__ == "__main__":
    main()
