"""Command line of the training: `python -m training.train all --preset cpu --minutes 120`.

Stages, each resumable from the work folder: vae, scenes (rendered and encoded), transformer, export,
assets (what the repository ships of the figures), evaluate; `all` runs them in turn.
`--minutes` is the budget of the vae or transformer stage; `all` splits it between the two.
To train the exported pipeline further: take-up, scenes, transformer; scenes may be made meanwhile. A vae stage after
take-up trains the decoder alone, so that scenes stay encoded as they are.
On a shared CPU one thread pinned to a core of its own (OMP_NUM_THREADS=1) beats two that wait for
each other. The transformer stage takes two cores as two processes, `torchrun --nproc-per-node 2 -m training.train
transformer`, at nearly twice the pictures a minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderDC

from training import assets, evaluate, export, scenes, transformer, vae
from training.presets import PRESETS
from training.world import data

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "backend/standee_backend/models/mini"
STAGES = ("vae", "scenes", "transformer", "export", "assets", "evaluate")
SHARES = {"vae": 0.2, "transformer": 0.8}  # of the minutes that `all` is given


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("stage", choices=(*STAGES, "take-up", "all"))
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache/standee-training")
    parser.add_argument("--out", type=Path, default=MODEL, help="the pipeline's folder")
    parser.add_argument("--jobs", type=int, default=1, help="processes that render scenes")
    parser.add_argument("--photographs", type=Path, help="a folder of *.jpg that evaluate measures")
    parser.add_argument(
        "--chunks", type=int, help="of scenes that shall be there, instead of the preset's"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_float32_matmul_precision("high")
    if options.stage != "all":
        run(options.stage, options, options.minutes)
        return
    for stage in STAGES:
        run(stage, options, options.minutes * SHARES.get(stage, 0))


def run(stage: str, options: argparse.Namespace, minutes: float) -> None:
    work, device, preset = options.work, torch.device(options.device), PRESETS[options.preset]
    figures = data.load_figures(data.download(work))
    names = [figure.name for figure in figures]

    def load_vae() -> AutoencoderDC:
        return AutoencoderDC.from_pretrained(work / "vae").to(device).eval()

    def save(mini: transformer.Mini) -> None:
        export.export(options.out, mini, load_vae())
        export.write_held_out(options.out, data.split(figures)[1])

    if stage == "scenes":
        chunks = options.chunks or preset.chunks
        scenes.extend(work, load_vae(), chunks, device, options.jobs)
    elif stage == "vae":
        scenes.extend(work, None, scenes.PICTURES, device, options.jobs)
        vae.train(work, preset, device, minutes, lambda made: made.save_pretrained(work / "vae"))
    elif stage == "take-up":
        export.take_up(options.out, work, preset, names)
    elif stage == "transformer":
        transformer.train(work, preset, names, device, minutes, save)
    elif stage == "export":
        save(transformer.load(work, preset, names))
    elif stage == "assets":
        assets.write_examples(REPOSITORY / "examples", figures)
        held_out = data.split(figures)[1]
        assets.write_held_out(options.out / "subjects", data.download(work), held_out)
    elif stage == "evaluate":
        evaluate.evaluate(options.out, work, device, options.photographs)


if __name__ == "__main__":
    main()
