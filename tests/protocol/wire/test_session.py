"""The session without a socket: a small daemon of plain Python at the other end of its frames."""

import hashlib

import msgspec
import pytest

from standee.errors import BadMessage, IncompatibleVersion, MissingBlob, UnknownJob
from standee.images import digest_of
from standee.wire import codec, operations
from standee.wire.events import Failed, Problem, Progress, Queued, Result, Started
from standee.wire.messages import (
    BlobChunk,
    BlobCommit,
    BlobGet,
    BlobHas,
    BlobMissing,
    BlobOpen,
    BlobPut,
    BlobState,
    Hello,
    JobAttach,
    JobInfo,
    Jobs,
    JobState,
    JobSubmit,
    Ok,
    Ping,
    Refused,
    Welcome,
)
from standee.wire.operations import CHUNK, WINDOW, TransferProgress
from standee.wire.session import IN_FLIGHT, LOST_AFTER, PING_AFTER, Session

JOB = "job-0001"


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Wire:
    """The session's daemon: takes what it sent, and answers in the test's words."""

    def __init__(self, greet=True):
        self.session = Session("test")
        self.now = 100.0
        if greet:
            self.reconnect()

    def reconnect(self):
        self.session.lost()
        self.session.connected(self.now)
        [hello] = self.sent()
        assert isinstance(hello, Hello)
        self.say(Welcome(re=hello.id, version=(1, 0), epoch="e"))

    def sent(self):
        requests = []
        while (frames := self.session.next_frames()) is not None:
            requests.append(codec.request(frames))
        return requests

    def say(self, *messages):
        for message in messages:
            self.session.receive(codec.encode(message), self.now)

    def events(self):
        return self.session.take_events()


@pytest.fixture
def link():
    return Wire()


def test_nothing_is_asked_before_the_daemon_has_greeted_back():
    link = Wire(greet=False)
    link.session.begin(operations.ask(Ping()))
    assert link.sent() == []
    link.reconnect()
    [ping] = link.sent()
    assert isinstance(ping, Ping)


def test_a_daemon_of_another_major_version_is_an_error():
    link = Wire(greet=False)
    link.session.connected(0)
    [hello] = link.sent()
    link.say(Welcome(re=hello.id, version=(2, 0), epoch="e"))
    assert isinstance(link.session.error, IncompatibleVersion)
    assert not link.session.ready


def test_answers_find_their_questions_in_any_order(link):
    first = link.session.begin(operations.ask(BlobHas(digests=())))
    second = link.session.begin(operations.ask(BlobHas(digests=())))
    asked = link.sent()
    link.say(
        BlobMissing(re=asked[1].id, digests=("b",)), BlobMissing(re=asked[0].id, digests=("a",))
    )
    assert first.result().digests == ("a",)
    assert second.result().digests == ("b",)


def test_what_has_no_answer_is_asked_again_with_its_number_after_a_lost_connection(link):
    task = link.session.begin(operations.ask(JobSubmit(job=JOB, spec={})))
    [before] = link.sent()
    link.reconnect()
    assert link.sent() == [before]
    link.say(JobState(re=before.id, job=JOB, state="queued"))
    assert task.done
    link.reconnect()
    assert link.sent() == []


def test_a_refusal_is_raised_by_the_task(link):
    task = link.session.begin(operations.ask(JobAttach(job=JOB)))
    [asked] = link.sent()
    link.say(Refused(re=asked.id, error=Problem.of(UnknownJob("No such job.", fix="Look."))))
    with pytest.raises(UnknownJob, match="No such job"):
        task.result()


def test_only_so_many_requests_are_in_flight(link):
    tasks = [link.session.begin(operations.ask(Ping())) for _ in range(IN_FLIGHT + 10)]
    asked = link.sent()
    assert len(asked) == IN_FLIGHT
    link.say(*[Ok(re=request.id) for request in asked])
    link.say(*[Ok(re=request.id) for request in link.sent()])
    assert all(task.done for task in tasks)


def test_silence_is_answered_by_a_ping_and_long_silence_by_giving_up(link):
    assert link.session.tick(link.now + PING_AFTER - 1)
    assert link.sent() == []
    assert link.session.tick(link.now + PING_AFTER + 1)
    assert link.session.tick(link.now + PING_AFTER + 2)
    [ping] = link.sent()
    assert isinstance(ping, Ping)
    assert not link.session.tick(link.now + LOST_AFTER + 1)


def test_what_cannot_be_read_is_dropped(link):
    link.session.receive([b"\xc1garbage"], link.now)
    link.session.receive([b"\x80"] * 9, link.now)
    link.say(Ok(re=999))
    assert link.events() == []


# -- pictures ------------------------------------------------------------------------------------


class Shelf:
    """Takes an upload as the daemon does; holds `parts` of it already."""

    def __init__(self, held=b""):
        self.data = bytearray(held)
        self.size = None

    def answer(self, request):
        name = request.digest if not isinstance(request, BlobHas) else request.digests[0]
        if isinstance(request, BlobHas):
            return BlobMissing(re=request.id, digests=request.digests)
        if isinstance(request, BlobOpen):
            self.size = request.size
        elif isinstance(request, BlobPut) and request.offset == len(self.data):
            self.data += request.data
        elif isinstance(request, BlobCommit) and len(self.data) == self.size:
            return BlobState(re=request.id, digest=name, offset=self.size, complete=True)
        return BlobState(re=request.id, digest=name, offset=len(self.data))


def serve(link, shelf):
    """Answer all requests until none come."""
    asked = []
    while requests := link.sent():
        asked += requests
        link.say(*[shelf.answer(request) for request in requests])
    return asked


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * WINDOW * CHUNK + 5])
def test_an_upload_arrives_whole_in_chunks(link, size):
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    transfer, shelf = TransferProgress(), Shelf()
    task = link.session.begin(operations.put_blob(digest(data), data, transfer), transfer)
    puts = [request for request in serve(link, shelf) if isinstance(request, BlobPut)]
    assert task.result() == digest(data)
    assert bytes(shelf.data) == data
    assert all(len(put.data) <= CHUNK for put in puts)
    assert task.progress == 1.0


def test_an_upload_goes_on_where_an_earlier_one_ended(link):
    data = bytes(5 * CHUNK)
    shelf = Shelf(held=data[: 3 * CHUNK])
    task = link.session.begin(operations.put_blob(digest(data), data, TransferProgress()))
    puts = [request for request in serve(link, shelf) if isinstance(request, BlobPut)]
    assert [put.offset for put in puts] == [3 * CHUNK, 4 * CHUNK]
    assert task.done


def test_an_upload_survives_a_daemon_that_lost_the_last_chunks(link):
    data = bytes(2 * WINDOW * CHUNK)
    shelf = Shelf()
    task = link.session.begin(operations.put_blob(digest(data), data, TransferProgress()))
    for _ in range(3):
        link.say(*[shelf.answer(request) for request in link.sent()])
    del shelf.data[-3 * CHUNK :]
    link.reconnect()
    serve(link, shelf)
    assert task.result() == digest(data)
    assert bytes(shelf.data) == data


def test_a_picture_on_disk_is_read_as_it_is_sent(link, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(b"cat" * CHUNK)
    shelf = Shelf()
    task = link.session.begin(operations.put_blob(digest_of(path), path, TransferProgress()))
    serve(link, shelf)
    assert task.done
    assert bytes(shelf.data) == path.read_bytes()


def test_a_picture_that_vanished_from_disk_is_an_error_of_ours(link, tmp_path):
    gone = tmp_path / "gone.png"
    task = link.session.begin(operations.put_blob("0" * 64, gone, TransferProgress()))
    serve(link, Shelf())
    assert "cannot be read" in str(task.error)


def chunks(data, requests):
    return [
        BlobChunk(
            re=request.id,
            digest=request.digest,
            offset=request.offset,
            size=len(data),
            data=data[request.offset : request.offset + request.length],
        )
        for request in requests
    ]


def test_a_download_is_checked_against_its_digest(link):
    data = b"picture" * CHUNK
    good = link.session.begin(operations.download(digest(data)))
    bad = link.session.begin(operations.download("0" * 64))
    while requests := link.sent():
        link.say(*chunks(data, requests))
    assert good.result() == data
    assert isinstance(bad.error, BadMessage)


# -- events --------------------------------------------------------------------------------------


def attach(link):
    link.session.watch(JOB)
    [asked] = link.sent()
    assert isinstance(asked, JobAttach)
    link.say(JobState(re=asked.id, job=JOB, state="running"))
    return asked


def test_events_come_once_and_in_order(link):
    attach(link)
    queued, started = Queued(job=JOB, seq=100), Started(job=JOB, seq=200)
    link.say(queued, started, queued, started, Progress(job=JOB, seq=201))
    assert [event.seq for event in link.events()] == [100, 200, 201]
    assert link.events() == []


def test_an_event_that_overtakes_the_attachment_does_not_hide_the_past(link):
    link.session.watch(JOB)
    [asked] = link.sent()
    link.say(Progress(job=JOB, seq=205))
    link.say(JobState(re=asked.id, job=JOB, state="running"))
    link.say(Queued(job=JOB, seq=100), Started(job=JOB, seq=200), Progress(job=JOB, seq=205))
    assert [event.seq for event in link.events()] == [100, 200, 205]


def test_after_a_lost_connection_only_new_events_are_asked_for(link):
    attach(link)
    link.say(Queued(job=JOB, seq=100), Started(job=JOB, seq=200))
    link.reconnect()
    [again] = link.sent()
    assert isinstance(again, JobAttach)
    assert again.since_seq == 200


def test_a_job_submitted_while_the_connection_broke_is_not_attached_to_before_it_exists(link):
    link.session.watch(JOB, confirmed=False)
    link.session.begin(operations.ask(JobSubmit(job=JOB, spec={})))
    link.reconnect()
    [again] = link.sent()
    assert isinstance(again, JobSubmit)
    link.say(JobState(re=again.id, job=JOB, state="queued"), Queued(job=JOB, seq=100))
    assert [event.seq for event in link.events()] == [100]


def test_an_unknown_job_comes_as_failed(link):
    link.session.watch(JOB)
    [asked] = link.sent()
    link.say(Refused(re=asked.id, error=Problem.of(UnknownJob("No such job."))))
    [event] = link.events()
    assert isinstance(event, Failed)
    assert event.error.code == "unknown-job"


def test_a_result_is_handed_out_with_its_picture_and_holds_back_what_follows(link):
    attach(link)
    pictures = [b"first", b"second"]
    link.say(
        *[Result(job=JOB, seq=300 + i, index=i, of=2, digest=digest(pictures[i])) for i in range(2)]
    )
    assert link.events() == []
    for data in pictures:
        requests = link.sent()
        assert all(isinstance(request, BlobGet) for request in requests)
        link.say(*chunks(data, requests))
        [event] = link.events()
        assert event.data == data
    assert not link.session.busy


def test_a_result_whose_picture_is_gone_is_a_failure(link):
    attach(link)
    link.say(Result(job=JOB, seq=300, digest="0" * 64))
    [asked] = link.sent()
    link.say(Refused(re=asked.id, error=Problem.of(MissingBlob("Gone."))))
    [event] = link.events()
    assert event.error.code == "missing-blob"


def test_events_of_jobs_that_nobody_watches_are_dropped(link):
    link.say(Queued(job=JOB, seq=100))
    assert link.events() == []


def test_jobs_are_asked_for_until_there_are_no_more(link):
    task = link.session.begin(operations.list_jobs())
    for number, more in ((1, True), (2, False)):
        [request] = link.sent()
        assert request.after == number - 1
        info = JobInfo(job=f"job-000{number}", kind="compose", state="done", created=0.0)
        line = msgspec.structs.replace(info, number=number)
        link.say(Jobs(re=request.id, jobs=(line,), more=more))
    assert [line.number for line in task.result()] == [1, 2]


def test_an_answer_of_another_kind_than_asked_for_is_an_error_of_ours(link):
    task = link.session.begin(operations.list_jobs())
    [request] = link.sent()
    link.say(Ok(re=request.id))
    with pytest.raises(BadMessage):
        task.result()
