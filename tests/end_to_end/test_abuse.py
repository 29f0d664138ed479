"""Strangers, liars and floods: each gets one clear error or the door; the daemon lives on, its memory flat."""

import os
import socket
import time
import zlib
from contextlib import ExitStack, suppress

import msgpack
import pytest
import zmq

from standee import Canvas, Client, Composition, Layer, Rect, Sampling, connection, pairing
from standee.connection import Connection
from standee.errors import BadPicture, TooLarge, Unauthorised
from standee.wire.events import Result
from support.raw_client import Raw

MIB = 2**20


@pytest.fixture
def raw(daemon):
    with Raw(daemon.connection) as raw:
        yield raw.hello()


@pytest.fixture
def flat(daemon):
    """Hold the daemon's memory: its peak may not grow by more than 64 MiB, nor stay up by 24."""
    with daemon.client() as client:
        client.compose(Composition())
    before = daemon.memory()
    yield
    assert daemon.memory("VmHWM") - before < 64 * MIB
    time.sleep(0.2)
    assert daemon.memory() - before < 24 * MIB


def still_serves(daemon):
    with daemon.client() as client:
        assert client.compose(Composition(prompt="still here"))


# -- strangers -------------------------------------------------------------------------------------


def test_a_wrong_key_is_told_so(daemon):
    mine = daemon.connection
    file = daemon.home.parent / "stranger.json"
    stranger = Connection(mine.endpoint, mine.server_key, pairing.new_keys())
    connection.write_connection(file, stranger)
    with pytest.raises(Unauthorised) as caught:
        Client.connect(connection_file=file, timeout=10)
    assert "pair" in caught.value.fix
    still_serves(daemon)


def test_an_unpaired_key_is_not_let_in_again(daemon):
    paired = pairing.pair(daemon.home, "laptop", daemon.connection.endpoint)
    file = daemon.home.parent / "laptop.json"
    connection.write_connection(file, paired)
    with Client.connect(connection_file=file, timeout=10) as laptop:
        assert laptop.compose(Composition())
    pairing.unpair(daemon.home, "laptop")
    with pytest.raises(Unauthorised):
        Client.connect(connection_file=file, timeout=10)


def test_a_daemon_with_another_key_than_promised_is_not_trusted(daemon):
    mine = daemon.connection
    file = daemon.home.parent / "other.json"
    impostor = Connection(mine.endpoint, pairing.new_keys().public, mine.client)
    connection.write_connection(file, impostor)
    with pytest.raises(Unauthorised, match="another key"):
        Client.connect(connection_file=file, timeout=20)


@pytest.mark.usefixtures("flat")
def test_without_a_key_nothing_is_answered(daemon):
    with Raw(None, daemon.connection.endpoint, SNDHWM=10_000) as stranger:
        stranger.say(type="hello", id=1, version=[1, 0])
        for _ in range(200):
            with suppress(zmq.Again):  # hung up on already
                stranger.socket.send(bytes(MIB), zmq.NOBLOCK)
        assert stranger.hear(1.0) is None
    still_serves(daemon)


def test_a_server_key_alone_is_not_enough(daemon):
    mine = daemon.connection
    known_to_all = Connection(mine.endpoint, mine.server_key, pairing.new_keys())
    with Raw(known_to_all) as stranger:
        stranger.say(type="hello", id=1, version=[1, 0])
        assert stranger.hear(0.5) is None


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)
HUGE = (2**31).to_bytes(8, "big")


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        GREETING + b"\x06" + HUGE,  # a command frame of 2 GB
        GREETING + b"\x02" + HUGE,  # a message frame of 2 GB
        GREETING.replace(b"CURVE", b"NULL\0") + b"\x02" + HUGE,
        b"\xff" + HUGE + b"\x7f",  # ZMTP 1.0
        b"\x01\x00",
    ],
    ids=["http", "command", "message", "null", "zmtp1", "short"],
)
def test_garbage_on_the_port_is_shut_out(daemon, opening):
    host, _, port = daemon.connection.endpoint.removeprefix("tcp://").rpartition(":")
    address = (host, int(port))
    hung_up = suppress(ConnectionError)  # at any byte
    with hung_up, socket.create_connection(address, timeout=10) as stranger:
        stranger.sendall(opening + os.urandom(16 * MIB))
        while stranger.recv(MIB):
            pass
    still_serves(daemon)


def test_a_stranger_that_says_nothing_is_in_nobodys_way(daemon):
    host, _, port = daemon.connection.endpoint.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        still_serves(daemon)


# -- liars with a valid key ------------------------------------------------------------------------


def refusal(raw):
    answer = raw.hear()
    assert answer["type"] == "error"
    error = answer["error"]
    assert error["message"]
    assert error["fix"]
    return answer["re"], error["code"], error["path"]


def submit(raw, **spec):
    raw.say(type="job.submit", id=5, job="job-00001", spec=spec)


CAT = {"picture": "0" * 64, "rect": {"x": 0, "y": 0, "w": 9, "h": 9}}


@pytest.mark.parametrize(
    ("spec", "code", "path"),
    [
        ({"layers": [CAT]}, "missing-blob", "$.layers[0].picture"),
        ({"scene": {"picture": "0" * 64}}, "missing-blob", "$.scene.picture"),
        ({"canvas": {"width": 10**9}}, "invalid-field", "$.canvas.width"),
        ({"canvas": {"width": 8192, "height": 8192}}, "invalid-field", "$.canvas"),
        ({"sampling": {"model": "no such"}}, "unknown-model", "$.sampling.model"),
        ({"sampling": {"model": "../../etc"}}, "unknown-model", "$.sampling.model"),
        (
            {"sampling": {"loras": [{"path": "/no/such"}]}},
            "invalid-field",
            "$.sampling.loras[0].path",
        ),
        ({"sampling": {"steps": 10**6}}, "invalid-field", "$.sampling.steps"),
        ({"prompt": "x" * 3000}, "invalid-field", "$.prompt"),
        ({"layers": [CAT] * 101}, "invalid-field", "$.layers"),
        ({"layers": [{"picture": "0" * 64}]}, "invalid-field", "$.layers[0].rect"),
    ],
)
def test_a_wrong_specification_is_refused_at_its_field(raw, spec, code, path):
    submit(raw, **spec)
    assert refusal(raw) == (5, code, path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_a_rectangle_that_is_none_is_refused_at_its_number(raw, number):
    submit(raw, layers=[{"picture": "0" * 64, "rect": {"x": 0, "y": 0, "w": number, "h": 9}}])
    assert refusal(raw) == (5, "invalid-field", "$.layers[0].rect.w")


def test_garbage_bytes_get_an_error_each_and_the_connection_stays(raw):
    for garbage in (b"", b"\xc1", os.urandom(1000), b"\x93\x01\x02\x03", b"\x81\xa4type\xa3xyz"):
        raw.say(garbage)
        _, code, path = refusal(raw)
        assert code in ("bad-message", "invalid-field")
        assert path.startswith("$")
    raw.say(type="ping", id=9)
    assert raw.hear()["re"] == 9


def test_a_message_of_many_frames_is_refused(raw):
    raw.say(*[b"frame"] * 50)
    assert refusal(raw) == (0, "bad-message", "$")


def test_who_does_not_greet_is_told_to(daemon):
    with Raw(daemon.connection) as raw:
        raw.say(type="job.list", id=3)
        assert refusal(raw) == (3, "bad-message", "$.type")
        raw.say(type="hello", id=4, version=[9, 0])
        assert refusal(raw) == (4, "incompatible-version", "$.version")


def test_a_chosen_routing_id_is_refused(daemon):
    with Raw(daemon.connection, ROUTING_ID=b"victim") as raw:
        raw.say(type="hello", id=1, version=[1, 0])
        assert refusal(raw) == (1, "bad-message", "$")


def test_a_picture_that_is_not_what_it_is_called_is_refused(raw):
    name, data = "0" * 64, b"not it"
    raw.say(type="blob.open", id=1, digest=name, size=len(data))
    assert raw.hear()["offset"] == 0
    raw.say(msgpack.packb({"type": "blob.put", "id": 2, "digest": name, "offset": 0}), data)
    assert raw.hear()["offset"] == len(data)
    raw.say(type="blob.commit", id=3, digest=name)
    assert refusal(raw) == (3, "bad-message", "$.digest")


def test_an_upload_keeps_to_what_it_announced(raw):
    name = "0" * 64
    put = {"type": "blob.put", "id": 1, "digest": name, "offset": 0}
    raw.say(msgpack.packb(put), b"data")
    assert refusal(raw) == (1, "bad-message", "$.digest")
    raw.say(type="blob.open", id=2, digest=name, size=3)
    raw.hear()
    raw.say(msgpack.packb(put), b"data")
    assert refusal(raw) == (1, "too-large", "$.data")
    raw.say(type="blob.open", id=3, digest=name, size=2**40)
    assert refusal(raw) == (3, "too-large", "$.size")


# -- floods ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("flat")
def test_a_frame_over_the_limit_is_answered_and_a_huge_one_ends_the_connection(daemon, raw):
    raw.say(bytes(MIB + 1))
    assert refusal(raw) == (0, "too-large", "$")
    raw.say(bytes(256 * MIB))
    raw.say(type="ping", id=9)
    raw.hear(1.0)
    still_serves(daemon)


@pytest.mark.usefixtures("flat")
def test_a_message_that_does_not_end_is_cut_off(daemon):
    with Raw(daemon.connection.__class__(**fields_of(daemon.connection))) as flood:
        flood.hello()
        for _ in range(6000):
            flood.socket.send(bytes(64 * 1024), zmq.SNDMORE)
        flood.socket.send(b"the end")
        deadline = time.monotonic() + 20
        while "client.flood" not in daemon.log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    still_serves(daemon)


def fields_of(given):
    return {name: getattr(given, name) for name in given.__struct_fields__}


@pytest.mark.usefixtures("flat")
def test_many_requests_at_once_are_answered_or_refused_each(raw):
    for number in range(2000):
        raw.say(type="job.list", id=number)
    kinds = {raw.hear()["type"] for _ in range(2000)}
    assert kinds <= {"jobs", "error"}
    assert "jobs" in kinds


@pytest.mark.usefixtures("flat")
def test_a_client_that_never_reads_costs_nothing(daemon, client, raw):
    digest = client.put_blob(os.urandom(4 * MIB))
    for number in range(2000):
        raw.say(type="blob.get", id=number, digest=digest, length=MIB)
    time.sleep(1)
    still_serves(daemon)


def test_clients_that_ask_for_a_large_job_and_never_read_cost_little(daemon, client):
    picture = client.put_blob(png(8, 8))
    layers = tuple(
        Layer(
            picture=picture,
            rect=Rect(0, 0, 9, 9),
            id=f"{number}",
            visible=False,
            prompt="\U0001f600" * 1900,
        )
        for number in range(100)
    )
    large = Composition(prompt="whole receipt", layers=layers, sampling=Sampling(steps=1, count=8))
    client.wait(client.submit(large, job_id="large-job"))
    before = daemon.memory()
    with ExitStack() as stack:
        for _ in range(100):
            silent = stack.enter_context(Raw(daemon.connection)).hello()
            silent.say(type="job.attach", id=2, job="large-job")
        time.sleep(1)
        told = [event for event in client.events("large-job") if isinstance(event, Result)]
    assert len(told) == 8
    assert daemon.memory("VmHWM") - before < 64 * MIB


def test_a_client_refuses_what_is_too_large_before_it_sends_it(client, tmp_path):
    sparse = tmp_path / "huge.png"
    with sparse.open("wb") as file:
        file.truncate(2**28 + 1)
    with pytest.raises(TooLarge, match="over the limit"):
        client.put_blob(sparse)


# -- pictures that are none, with the real engine ----------------------------------------------------


def png(width, height):
    """Return a grey PNG, made by hand: one row after another, no filter."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_broken_picture_is_one_clear_error_and_the_worker_goes_on(studio):
    with studio.client() as client:
        whole = png(64, 64)
        bomb = whole[:16] + (10**9).to_bytes(4, "big") * 2 + whole[24:]
        for broken in (whole[:-40], bomb, b"no picture at all", b""):
            with pytest.raises(BadPicture) as caught:
                client.cutout(broken)
            assert caught.value.path == "$.picture"
            assert caught.value.fix
        layer = Layer(picture=client.put_blob(whole[:-40]), rect=Rect(0, 0, 64, 64))
        with pytest.raises(BadPicture) as caught:
            client.compose(Composition(layers=(layer,)))
        assert caught.value.path == "$.layers[0].picture"
        [worker] = client.status().workers
        small = Composition(canvas=Canvas(64, 64), sampling=Sampling(steps=1))
        assert client.compose(small)[0].data.startswith(b"\x89PNG")
        assert client.status().workers[0].pid == worker.pid
    studio.check()
