"""A daemon whose device holds only so much: the real one, in whose worker torch runs out of memory for real.

`python full_device.py BYTES HOME` is the daemon, and with `worker` in the place of HOME its worker. Every tensor that
the engine makes is counted, and the one for which there is no room raises `torch.OutOfMemoryError`.
"""

import sys
from pathlib import Path

LIMIT = int(sys.argv[1])


def serve(home: Path) -> None:
    """Run the daemon."""
    from standee_backend import event_log
    from standee_backend.daemon import daemon
    from standee_backend.hardware.options import Options

    event_log.set_up("text")
    worker = (sys.executable, __file__, str(LIMIT), "worker")
    daemon.run(daemon.Config(home=home, worker=worker, options=Options(device="cpu")))


def work() -> None:
    """Run the worker."""
    import torch
    from torch.utils._python_dispatch import _disable_current_modes

    from standee_backend.engine.memory.live_bytes import LiveBytes
    from standee_backend.worker import job_runner
    from standee_backend.worker.main import main

    class Device(LiveBytes):
        def grow(self, size):
            if size > 0 and self.now + size > LIMIT:
                raise torch.OutOfMemoryError(f"no room for {size} bytes beside {self.now}")
            super().grow(size)

        def _meet(self, storage):
            if storage.device.type != "meta":
                super()._meet(storage)

        def load(self, *how):
            """Read weights, which is the host's memory's matter, and then bring them here."""
            with _disable_current_modes():
                family = read(*how)
            for part in (family.transformer, family.pipeline.vae):
                for tensor in (*part.parameters(), *part.buffers()):
                    self._meet(tensor.untyped_storage())
            return family

    class Crammed(job_runner.JobRunner):
        def run(self, *job):
            self.loaded = None
            with Device() as device:
                job_runner.load = device.load
                yield from super().run(*job)

    read = job_runner.load
    main(Crammed)


if __name__ == "__main__":
    work() if sys.argv[2] == "worker" else serve(Path(sys.argv[2]))
