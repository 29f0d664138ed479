"""A worker program without an engine: speaks the real worker protocol and does what the prompt says.

`slow` takes 0.05 s a step, `die` ends the process, `die twice` does so in the first two attempts,
`fail` raises, `break off` does so after the first picture, `refuse` raises a `StandeeError`,
`chatty` reports 2,000 steps at once, `deaf` ignores cancellations, `starts FILE` starts a process
and writes its number there, `says much` writes 1,000 long lines to stderr. A picture that is
`long to finish` takes half a second of that, and one that `finishes at FILE` waits for that file; a `dead end`
ends the process then, a `bad end` raises. Each picture's bytes are `picture of <prompt> <seed>`; one
that is `drawn` is a PNG of one grey, the seed, as large as the canvas, and one that is `noted` has a note. A
`whole receipt` holds the composition, as those of the engine do.
"""

import io
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec

from standee.errors import BadPicture, JobCancelled
from standee.wire.events import Preview, Progress, Result
from standee.wire.messages import Cutout
from standee.wire.notes import Note
from standee_backend.worker.main import main


class ToyRunner:
    def __init__(self, options):
        self.deaths = Path(sys.argv[1])

    def run(self, spec, model, read, report, cancelled):
        if isinstance(spec, Cutout):
            painted = b" over " + read(spec.mask) if spec.mask else b""
            mask = Result(data=b"mask of " + read(spec.picture) + painted, width=8, height=8)
            yield lambda: mask
            return
        prompt, of = spec.prompt, spec.sampling.steps or 4
        for digest in spec.digests():
            read(digest)
        if "chatty" in prompt:
            of = 2000
        if "says much" in prompt:
            print(*["a word " * 100] * 1000, sep="\n", file=sys.stderr, flush=True)
        if "starts " in prompt:
            child = subprocess.Popen(["sleep", "60"])
            Path(prompt.partition("starts ")[2]).write_text(str(child.pid))
        for step in range(1, of + 1):
            if cancelled() and "deaf" not in prompt:
                raise JobCancelled("cancelled")
            time.sleep(0.05 if "slow" in prompt else 0)
            report(Progress(stage="denoising", step=step, of=of, eta=(of - step) * 0.05))
            report(Preview(step=step, data=b"preview %d" % step))
        if "die" in prompt and not ("twice" in prompt and self._died() >= 2):
            self._die()
        if "fail" in prompt:
            raise ValueError("the toy was told to fail")
        if "refuse" in prompt:
            raise BadPicture("The toy dislikes the picture.", path="$.layers[0].picture")
        for seed in range(spec.sampling.seed, spec.sampling.seed + spec.sampling.count):
            receipt = {"prompt": prompt}
            if "whole receipt" in prompt:
                receipt = {"composition": msgspec.to_builtins(spec)}
            yield partial(self._finish, prompt, seed, receipt, spec.canvas)
            if "break off" in prompt:
                raise ValueError("the toy was told to break off")

    def _finish(self, prompt, seed, receipt, canvas):
        if "long to finish" in prompt:
            time.sleep(0.5)
        if "finishes at " in prompt:
            file = Path(prompt.partition("finishes at ")[2])
            while not file.exists():
                time.sleep(0.01)
        if "dead end" in prompt:
            self._die()
        if "bad end" in prompt:
            raise ValueError("the toy was told to end badly")
        data = f"picture of {prompt} {seed}".encode()
        if "drawn" in prompt:
            from PIL import Image  # the other pictures do without

            stream = io.BytesIO()
            size = canvas.width, canvas.height
            Image.new("RGB", size, (seed % 256,) * 3).save(stream, "PNG")
            data = stream.getvalue()
        notes = (Note("toy", words="The toy noted it."),) if "noted" in prompt else ()
        size = {"width": canvas.width, "height": canvas.height}
        return Result(data=data, seed=seed, receipt=receipt, notes=notes, **size)

    def _die(self):
        with self.deaths.open("a") as file:
            file.write("+")
        os.kill(os.getpid(), signal.SIGKILL)

    def _died(self):
        return len(self.deaths.read_text()) if self.deaths.exists() else 0


if __name__ == "__main__":
    main(ToyRunner)
