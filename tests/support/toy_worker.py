"""A worker program without an engine: speaks the real worker protocol and does what the prompt says.

`slow` takes 0.05 s a step, `die` ends the process, `die twice` does so in the first two attempts,
`fail` raises, `break off` does so after the first picture, `refuse` raises a `StandeeError`,
`chatty` reports 2,000 steps at once, `deaf` ignores cancellations. A picture that is `long to
finish` takes 1 s of that; a `dead end` ends the process then, a `bad end` raises. Each picture's
bytes are `picture of <prompt> <seed>`.
"""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from msgspec import Struct

from standee.errors import BadPicture, JobCancelled
from standee_backend.worker.main import main


class Progress(Struct):
    stage: str
    step: int
    of: int
    eta: float | None = None


class Preview(Struct):
    step: int
    data: bytes


class Output(Struct):
    data: bytes
    width: int
    height: int
    seed: int
    receipt: dict


class Tasks:
    def __init__(self, options):
        self.deaths = Path(sys.argv[1])

    def run(self, kind, spec, read, report, cancelled):
        if kind == "cutout":
            mask = Output(b"mask of " + read(spec.picture), 8, 8, 0, {})
            yield lambda: mask
            return
        prompt, of = spec.prompt, spec.sampling.steps or 4
        for digest in spec.digests():
            read(digest)
        if "chatty" in prompt:
            of = 2000
        for step in range(1, of + 1):
            if cancelled() and "deaf" not in prompt:
                raise JobCancelled("cancelled")
            time.sleep(0.05 if "slow" in prompt else 0)
            report(Progress("denoising", step, of, (of - step) * 0.05))
            report(Preview(step, b"preview %d" % step))
        if "die" in prompt and not ("twice" in prompt and self._died() >= 2):
            self._die()
        if "fail" in prompt:
            raise ValueError("the toy was told to fail")
        if "refuse" in prompt:
            raise BadPicture("The toy dislikes the picture.", path="$.layers[0].picture")
        for seed in range(spec.sampling.seed, spec.sampling.seed + spec.sampling.count):
            yield partial(self._finish, prompt, seed)
            if "break off" in prompt:
                raise ValueError("the toy was told to break off")

    def _finish(self, prompt, seed):
        if "long to finish" in prompt:
            time.sleep(1.0)
        if "dead end" in prompt:
            self._die()
        if "bad end" in prompt:
            raise ValueError("the toy was told to end badly")
        return Output(f"picture of {prompt} {seed}".encode(), 256, 256, seed, {"prompt": prompt})

    def _die(self):
        with self.deaths.open("a") as file:
            file.write("+")
        os.kill(os.getpid(), signal.SIGKILL)

    def _died(self):
        return len(self.deaths.read_text()) if self.deaths.exists() else 0


if __name__ == "__main__":
    main(Tasks)
