"""What a client hears of a job that it follows, whenever it asks for it."""

import asyncio
import threading

from standee.wire import codec
from standee.wire.events import Progress, Queued
from standee.wire.messages import JobAttach
from standee_backend.daemon.job_requests import JobRequests
from standee_backend.daemon.peer import Peer
from standee_backend.scheduling.scheduler import Scheduler
from standee_backend.storage.disk_thread import DiskThread
from standee_backend.storage.job_store import JobStore


def test_who_asks_anew_hears_the_past_before_what_comes_meanwhile(tmp_path, monkeypatch):
    told = []

    def hear(identity, frames):
        told.append(codec.answer_or_event(codec.unpack(frames)))
        return True

    async def scene():
        store, disk = JobStore(tmp_path / "jobs.sqlite"), DiskThread("store")
        scheduler = Scheduler(store, disk, [])
        requests = JobRequests("me", None, store, disk, scheduler, None, None)
        peer = Peer(b"\0id", "me", 3, hear)
        job, _, _ = store.submit("me", "job-0001", "compose", b"{}")
        scheduler.subscribe(peer, job)
        looks, go, past = threading.Event(), threading.Event(), store.events

        def slowly(*args):
            looks.set()
            go.wait(10)
            return past(*args)

        monkeypatch.setattr(store, "events", slowly)
        attaching = asyncio.create_task(requests.attach(JobAttach(id=5, job="job-0001"), peer))
        while not looks.is_set():
            await asyncio.sleep(0.001)
        scheduler._report(job.key, job.id, Progress(stage="denoising", step=1, of=2))
        go.set()
        await attaching
        disk.close()
        store.close()

    asyncio.run(asyncio.wait_for(scene(), 20))
    heard = [event for event in told if isinstance(event, Queued | Progress)]
    assert isinstance(heard[0], Queued)
    assert any(isinstance(event, Progress) for event in heard)
    assert [event.seq for event in heard] == sorted({event.seq for event in heard})
