"""The thread that touches the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger("standee.disk")


def _log_failure(done: Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("disk.failed: %s", error)


class DiskThread:
    """Runs what touches the disk in one thread, in order, so that the event loop never waits."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._threads = ThreadPoolExecutor(threads, name)

    async def __call__(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Have it done in its turn; nobody waits for it, and what goes wrong is logged."""
        self._threads.submit(function, *args).add_done_callback(_log_failure)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
