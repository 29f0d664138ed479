"""A worker program without an engine whose pictures can be looked at: grey PNGs with a receipt.

It speaks the real worker protocol, for what wants pictures and does not care what they show.
"""

import io

import msgspec
from PIL import Image

from standee.wire.events import Progress, Result
from standee.wire.messages import Cutout
from standee_backend.worker.main import main


class PictureRunner:
    def __init__(self, options):
        pass

    def run(self, spec, model, read, report, cancelled):
        if isinstance(spec, Cutout):
            with Image.open(io.BytesIO(read(spec.picture))) as picture:
                yield lambda: grey(picture.size, 255)
            return
        for digest in spec.digests():
            read(digest)
        report(Progress(stage="denoising", step=1, of=1))
        for seed in range(spec.sampling.seed, spec.sampling.seed + spec.sampling.count):
            receipt = {"composition": msgspec.to_builtins(spec), "model": {"fingerprint": "1"}}
            size = spec.canvas.width, spec.canvas.height
            made = grey(size, seed % 200, seed=seed, receipt=receipt)
            yield lambda made=made: made


def grey(size, brightness, **more):
    """A result of `size` in one grey."""
    file = io.BytesIO()
    Image.new("RGB", size, (brightness,) * 3).save(file, "PNG")
    return Result(data=file.getvalue(), width=size[0], height=size[1], **more)


if __name__ == "__main__":
    main(PictureRunner)
