from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from training import evaluate, short_run


def test_what_comes_back_is_a_few_files_of_a_size_that_is_let_through(tmp_path: Path) -> None:
    made, sheets, out = (tmp_path / name for name in ("pipeline", "sheets", "out"))
    (made / "transformer").mkdir(parents=True)
    weights = np.random.default_rng(0).bytes(40 * 2**20)
    (made / "transformer/weights").write_bytes(weights)
    sheets.mkdir()
    (sheets / "numbers.json").write_text('{"vae_psnr": 38.5}')
    for canvas in evaluate.CANVASES:
        for kind in ("prompts", "placements"):
            Image.new("RGB", canvas).save(sheets / "{}_{}x{}.png".format(kind, *canvas))

    short_run.pack(made, sheets, out)

    files = sorted(out.iterdir())
    assert len(files) <= 8
    assert all(path.stat().st_size < 16 * 2**20 for path in files)
    assert json.loads((out / "numbers.json").read_text()) == {"vae_psnr": 38.5}
    joined = b"".join(path.read_bytes() for path in files if path.name.startswith("mini.tar."))
    with tarfile.open(fileobj=io.BytesIO(joined)) as archive:
        assert archive.extractfile("mini/transformer/weights").read() == weights
