"""Clients that share a daemon: what one does, asks or leaves costs no other their jobs, places or pictures."""

import os
import threading
import time

import msgpack
import pytest

from standee import Client, Composition, Lora, Sampling, connection, pairing
from standee.errors import InvalidField, NotConnected, Unauthorised, UnknownJob, UnknownModel
from standee.images import digest_of
from standee.wire.messages import Cutout
from support.daemons import Running
from support.raw_client import Raw

MIB = 2**20


def remote(daemon, name="laptop"):
    """Return the connection file of another machine."""
    file = daemon.home.parent / f"{name}.json"
    paired = pairing.pair(daemon.home, name, daemon.connection.endpoint)
    connection.write_connection(file, paired)
    return file


def slow(**more):
    return Composition(prompt="slow", sampling=Sampling(steps=200, **more))


def test_a_message_that_means_little_stops_nobody_whatever_it_carries(daemon, client):
    """Its unknown fields were walked, each under a name of half a megabyte."""
    fields = {"x" * 300_000: [1.5] * 9_000, "y": [[0.5] * 9_000] * 7, "type": "job.list", "id": 7}
    with Raw(daemon.connection) as raw:
        for greeted in (False, True):
            if greeted:
                raw.hello()
            raw.say(**fields)
            began = time.monotonic()
            client.status()
            assert time.monotonic() - began < 5
            heard = raw.hear()
            assert (heard["re"], heard["type"]) == (7, "jobs" if greeted else "error")


def test_a_client_need_not_wait_for_its_greeting_to_ask_more(daemon):
    with Raw(daemon.connection) as raw:
        raw.say(type="hello", id=1, version=[1, 0])
        raw.say(type="job.list", id=2)
        assert [raw.hear()["type"], raw.hear()["type"]] == ["welcome", "jobs"]


def test_a_refusal_is_heard_however_long_what_was_asked(daemon):
    with Raw(daemon.connection) as raw:
        raw.hello()
        raw.say(type="job.submit", id=2, job="job-0001", kind="k" * 900_000, spec={})
        assert raw.hear()["error"]["path"] == "$.kind"
        raw.say(type="ping", id=3)
        assert raw.hear()["type"] == "ok"


def test_the_same_picture_may_come_over_several_connections_at_once(daemon):
    picture, failed = os.urandom(6 * MIB), []

    def send():
        try:
            with daemon.client() as client:
                assert client.put_blob(picture) == digest_of(picture)
        except Exception as error:
            failed.append(error)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert not failed
    assert not list((daemon.home / "blobs" / "parts").iterdir())
    with daemon.client() as client:
        assert client.get_blob(digest_of(picture)) == picture


@pytest.mark.parametrize("left", [None, b"other bytes"])
def test_a_picture_whose_file_is_gone_or_damaged_is_sent_again(daemon, client, left):
    picture = b"a picture" * 1000
    digest = client.put_blob(picture)
    file = daemon.home / "blobs" / digest[:2] / digest
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)
        with pytest.raises(Exception, match="does not hold"):
            client.cutout(picture)
    assert client.cutout(picture) == b"mask of " + picture


def test_another_machine_names_listed_models_only_and_learns_nothing_of_files(daemon, tmp_path):
    (tmp_path / "secret").mkdir()
    with Client.connect(connection_file=remote(daemon), timeout=20) as client:
        said = set()
        for name in ("/etc/hostname", "/no/such", str(tmp_path / "secret"), "evil/model"):
            with pytest.raises(UnknownModel) as caught:
                client.submit(Composition(sampling=Sampling(model=name)))
            said.add(str(caught.value))
        assert len(said) == 1
        with pytest.raises(InvalidField) as caught:
            client.submit(Composition(sampling=Sampling(loras=(Lora(str(tmp_path)),))))
        assert caught.value.path == "$.sampling.loras"
        digest = client.put_blob(b"a picture")
        with pytest.raises(UnknownModel):
            client.submit(Cutout(digest, model=str(tmp_path)), kind="cutout")
        assert client.compose(Composition())


def test_a_client_that_is_unpaired_is_out_and_so_are_its_jobs(daemon, client):
    file = remote(daemon)
    with Client.connect(connection_file=file, timeout=20) as laptop:
        laptop.submit(slow(), job_id="theirs-1")
        laptop.submit(slow(), job_id="theirs-2")
        pairing.unpair(daemon.home, "laptop")
        deadline = time.monotonic() + 60
        while client.status().queued + client.status().running:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.raises((Unauthorised, NotConnected)):
            laptop.put_blob(os.urandom(1000))
    assert client.compose(Composition())


def test_another_machine_goes_no_further_than_its_own_places_and_the_user_stops_its_jobs(daemon):
    file = remote(daemon)
    theirs = connection.read_connection(file)
    many = [Raw(theirs) for _ in range(33)]
    try:
        for raw in many:
            raw.say(type="hello", id=1, version=[1, 0])
        heard = [raw.hear(20)["type"] for raw in many]
        assert sorted(heard) == ["error"] + ["welcome"] * 32
        taker = many[heard.index("welcome")]
        spec = {"prompt": "slow", "sampling": {"steps": 200}}
        for name in ("theirs-1", "theirs-2"):
            taker.say(type="job.submit", id=5, job=name, spec=spec, priority=100)
        with daemon.client() as client:
            mine = client.submit(Composition(prompt="mine"), priority=1)
            client.cancel("theirs-1", hard=True)
            assert client.wait(mine, timeout=60), "no other machine's job goes before it"
            client.cancel("theirs-2", hard=True)
            with pytest.raises(UnknownJob):
                client.cancel("nobodys-job")
    finally:
        for raw in many:
            raw.context.destroy(linger=0)


def test_jobs_are_listed_in_pages_whatever_their_number(daemon, client):
    with Raw(daemon.connection) as raw:
        raw.hello()
        for number in range(520):
            raw.say(type="job.submit", id=1, job=f"job-{number:05}", spec={"prompt": "p" * 80})
            while raw.hear()["type"] != "job.state":
                pass
        raw.say(type="job.list", id=9)
        while (page := raw.hear())["type"] != "jobs":
            pass
        assert (len(page["jobs"]), page["more"]) == (500, True)
        assert len(msgpack.packb(page)) < MIB / 2
    assert [job.job for job in client.jobs()] == [f"job-{number:05}" for number in range(520)]


def test_uploads_that_are_never_ended_take_no_more_than_the_quota(tmp_path):
    running = Running(tmp_path / "home", limits={"storage": 2 * MIB}).start()
    try:
        with Raw(running.connection) as raw:
            raw.hello()
            for number in range(20):
                digest = f"{number:064x}"
                raw.say(type="blob.open", id=1, digest=digest, size=MIB)
                assert raw.hear()["type"] == "blob.state"
                put = {"type": "blob.put", "id": 2, "digest": digest, "offset": 0}
                raw.say(msgpack.packb(put), bytes(MIB // 2))
                assert raw.hear()["type"] == "blob.state"
        parts = list((running.home / "blobs" / "parts").iterdir())
        assert sum(part.stat().st_size for part in parts) <= 2 * MIB
        running.check()
    finally:
        running.stop()


def test_a_picture_that_gives_way_to_a_job_leaves_the_disk(tmp_path):
    daemon = Running(tmp_path / "home", limits={"storage": 20_000}).start()
    with daemon.client() as client:
        digest = client.put_blob(bytes(19_000))
        file = daemon.home / "blobs" / digest[:2] / digest
        assert file.exists()
        client.submit(Composition(prompt="x" * 1_900))
        until = time.monotonic() + 10
        while file.exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert not file.exists()
    daemon.check()
    daemon.stop()
