"""The daemon's parts without its sockets: flags, the lock, who may listen, and bounded peers."""

import asyncio
import subprocess
import sys
import time

import pytest
import zmq

from standee import pairing
from standee.errors import InvalidField, MissingDependency
from standee.wire import codec
from standee.wire.events import Preview, Progress, Queued, Result
from standee.wire.messages import Ok, Ping
from standee_backend.daemon import main
from standee_backend.daemon.daemon import Config, check_host
from standee_backend.daemon.flags import FLAGS, settled
from standee_backend.daemon.peer import MAX_INBOX, Budget, Peer, Received, refusal
from standee_backend.daemon.router import Router
from standee_backend.daemon.single_instance import AlreadyRunning, single_instance
from standee_backend.hardware.options import Options
from standee_backend.scheduling.slots import local

JOB = "job-0001"


def configure(*arguments):
    return main.configure(settled(vars(main.parser().parse_args(arguments))))


def test_nothing_of_the_daemon_imports_torch():
    code = "import standee_backend.daemon.main, standee_backend.worker.main, sys;"
    code += "assert not {'torch', 'diffusers', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_flags_become_a_configuration(tmp_path):
    config = configure("--home", str(tmp_path), "--device", "cuda:1", "--quota", "0.5", "--lazy")
    assert config.options == Options(device="cuda:1")
    assert config.limits.storage == 2**29
    assert not config.warm


def test_a_cluster_needs_ray_and_a_head_reached_by_its_client_needs_grpc_too(monkeypatch):
    monkeypatch.setattr(main.importlib.util, "find_spec", lambda name: name != "grpc" or None)
    assert configure("--cluster", "desk:6379").cluster == "desk:6379"
    with pytest.raises(MissingDependency) as caught:
        configure("--cluster", "ray://desk:10001")
    assert caught.value.path == "--cluster"
    assert "standee[cluster]" in caught.value.fix


def test_the_environment_gives_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    monkeypatch.setenv("STANDEE_OFFLOAD", "model")
    assert configure().options.offload == "model"
    assert configure("--offload", "none").options.offload == "none"
    assert configure().home == tmp_path


def test_every_flag_may_come_from_the_environment(monkeypatch):
    texts = {"home": "/tmp/h", "listen": "127.0.0.1:9", "log": "json", "device": "cpu,cuda:1"}
    for flag in FLAGS:
        text = texts.get(flag.name, "1" if flag.switch or flag.kind is float else "auto")
        monkeypatch.setenv(flag.variable, text)
    values = settled({})
    assert values["device"] == ["cpu", "cuda:1"]
    assert values["compile"] is values["offline"] is values["lazy"] is True
    assert values["memory"] == values["quota"] == 1.0
    assert values["log"] == "json"
    assert settled({"device": ["cuda:0"]})["device"] == ["cuda:0"]


@pytest.mark.parametrize(
    ("variable", "text"), [("LOG", "loud"), ("MEMORY", "much"), ("LAZY", "perhaps")]
)
def test_a_wrong_variable_is_named(monkeypatch, variable, text):
    monkeypatch.setenv(f"STANDEE_{variable}", text)
    with pytest.raises(InvalidField, match=text) as caught:
        settled({})
    assert caught.value.path == f"--{variable.lower()}"


def test_models_toml_says_how_models_are_usually_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    (tmp_path / "models.toml").write_text(
        '[hardware]\noffload = "model"\nquantization = "nf4"\ntoken_cache = 4\ntoken_disk = 9\n'
    )
    options = configure("--quantization", "none").options
    assert options == Options(offload="model", quantization="none", token_cache=4.0, token_disk=9.0)
    assert configure("--token-cache", "0").options.token_cache == 0.0
    assert configure("--token-disk", "0").options.token_disk == 0.0
    assert configure("--attention", "_native_math").options.attention == "_native_math"


def test_a_wrong_option_is_named():
    with pytest.raises(InvalidField) as caught:
        configure("--device", "toaster")
    assert caught.value.path == "$.device"


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 0),
        ("192.168.1.20:7717", "192.168.1.20", 7717),
        ("::1", "::1", 0),
        ("[::1]:7717", "::1", 7717),
        ("localhost:7717", "127.0.0.1", 7717),
    ],
)
def test_an_address_to_listen_on(listen, host, port):
    config = configure("--listen", listen)
    assert (config.host, config.port) == (host, port)


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "127.0.0.1:abc", "127.0.0.1:", "no such:1"])
def test_an_address_that_is_none_is_refused(listen):
    with pytest.raises(InvalidField) as caught:
        configure("--listen", listen)
    assert caught.value.path == "--listen"


def test_other_machines_are_listened_to_only_when_one_is_paired(tmp_path):
    keys = pairing.local_keys(tmp_path)
    pairing.allow(tmp_path, pairing.LOCAL, keys.public)
    beyond = Config(home=tmp_path, host="0.0.0.0", port=7717)
    check_host(Config(home=tmp_path), pairing.allowed(tmp_path))
    with pytest.raises(InvalidField, match="standee pair"):
        check_host(beyond, pairing.allowed(tmp_path))
    pairing.pair(tmp_path, "laptop", "tcp://192.168.1.20:7717")
    check_host(beyond, pairing.allowed(tmp_path))
    with pytest.raises(InvalidField, match="HOST:PORT"):
        check_host(Config(home=tmp_path, host="0.0.0.0"), pairing.allowed(tmp_path))


def test_a_name_is_no_address_to_listen_on(tmp_path):
    with pytest.raises(InvalidField, match="IP address"):
        check_host(Config(home=tmp_path, host="example.org", port=1), {"key": "laptop"})


def test_a_folder_has_one_daemon(tmp_path):
    with single_instance(tmp_path), pytest.raises(AlreadyRunning), single_instance(tmp_path):
        pass
    with single_instance(tmp_path):
        pass


def test_each_named_device_has_its_worker(tmp_path):
    slots = local(tmp_path, Options(), ["cuda:0", "cuda:1"])
    assert [slot.name for slot in slots] == ["local-0", "local-1"]
    [only] = local(tmp_path, Options(device="cpu"))
    assert only.info().state == "stopped"


# -- peers ---------------------------------------------------------------------------------------


class Line:
    """A peer's connection that may be full."""

    def __init__(self):
        self.full = False
        self.sent = []
        self.peer = Peer(b"\0id", "key", 3, self.transmit)

    def transmit(self, identity, frames):
        if not self.full:
            self.sent.append(codec.answer_or_event(codec.unpack(frames)))
        return not self.full


def in_loop(check):
    """Run an async test."""

    def test():
        asyncio.run(check(Line()))

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


@in_loop
async def test_progress_that_waits_is_replaced_by_newer_progress(line):
    line.full = True
    line.peer.send(Queued(job=JOB, seq=1, position=3))
    for step in range(1000):
        line.peer.send(Progress(job=JOB, seq=10 + 2 * step, step=step))
        line.peer.send(Preview(job=JOB, seq=11 + 2 * step, step=step, data=bytes(1000)))
    line.peer.send(Result(job=JOB, seq=5000, digest="d" * 64))
    line.full = False
    await asyncio.sleep(0.1)
    assert [type(message) for message in line.sent] == [Queued, Progress, Preview, Result]
    assert line.sent[1].step == 999


@in_loop
async def test_progress_of_different_jobs_is_kept_apart(line):
    line.full = True
    line.peer.send(Progress(job="job-000a", seq=1))
    line.peer.send(Progress(job="job-000b", seq=1))
    line.full = False
    await asyncio.sleep(0.1)
    assert len(line.sent) == 2


class Frame:
    """A part of a message, and what libzmq says of its connection."""

    def __init__(self, data):
        self.bytes = data

    def get(self, option):
        return 7 if option == zmq.SRCFD else "a key"


class Endless:
    """A socket with a message whenever it is asked for one, for two seconds."""

    def __init__(self):
        self.until = time.monotonic() + 2

    async def recv_multipart(self, copy):
        assert time.monotonic() < self.until, "nothing else got the loop"
        return [Frame(b"\0id"), Frame(b"\x80")]

    def send_multipart(self, frames, flags):
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    def get_monitor_socket(self, events):
        return None


@in_loop
async def test_messages_without_end_leave_the_loop_to_others(line):
    async def never(request, peer):
        await asyncio.Event().wait()

    receiving = asyncio.create_task(Router(Endless(), never, lambda peer: None).receive())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not receiving.done()
    receiving.cancel()


def received(*frames):
    return Received(list(frames), *codec.peek(frames))


@in_loop
async def test_the_next_request_waits_until_the_last_answer_has_left(line):
    line.full = True
    assert line.peer.accept(received(*codec.encode(Ping(id=4))))
    line.peer.send(Ok(re=1))
    asking = asyncio.create_task(line.peer.next())
    await asyncio.sleep(0.05)
    assert not asking.done()
    line.full = False
    assert (await asyncio.wait_for(asking, 1)).number == 4


@in_loop
async def test_only_so_many_requests_wait(line):
    assert all(line.peer.accept(received(b"\x80")) for _ in range(MAX_INBOX))
    assert not line.peer.accept(received(b"\x80"))


@in_loop
async def test_only_so_many_bytes_of_requests_wait(line):
    taken = sum(line.peer.accept(received(bytes(2**20))) for _ in range(MAX_INBOX))
    assert taken == 16


@in_loop
async def test_what_waits_is_bounded_for_a_key_and_for_all_and_given_back(line):
    budget = Budget(each=100, together=150, first="mine")
    peers = {
        owner: [Peer(b"\0id", owner, 3, line.transmit, budget) for _ in range(2)]
        for owner in ("theirs", "others", "mine")
    }
    assert peers["theirs"][0].accept(received(bytes(60)))
    assert not peers["theirs"][1].accept(received(bytes(60))), (
        "one key may not have more, however connected"
    )
    assert peers["others"][0].accept(received(bytes(60)))
    assert not peers["others"][1].accept(received(bytes(40))), "nor all together"
    assert peers["mine"][0].accept(received(bytes(60))), "save the user's own"
    peers["theirs"][0].leave()
    assert peers["others"][1].accept(received(bytes(20)))


@in_loop
async def test_a_peer_is_overwhelmed_when_its_key_has_no_room_for_what_it_does_not_read(line):
    line.full = True
    peer = Peer(b"\0id", "key", 3, line.transmit, Budget(each=1000))
    peer.send(Result(job=JOB, seq=1, receipt={"long": "x" * 2000}))
    assert peer.overwhelmed


def test_a_refusal_fits_into_a_message_whatever_was_asked():
    assert codec.encode(refusal(1, InvalidField("x" * 2**21, path="y" * 2**21)))


@in_loop
async def test_a_peer_that_never_reads_is_noticed(line):
    line.full = True
    for seq in range(300):
        line.peer.send(Result(job=JOB, seq=seq, receipt={"long": "x" * 500_000}))
    assert line.peer.overwhelmed
    line.peer.leave()
    assert not line.peer.overwhelmed
