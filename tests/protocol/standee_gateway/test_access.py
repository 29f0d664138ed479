"""Who is let in: the token, the gateway's own name, no web pages; and what a start refuses."""

import signal
import socket
import stat
from contextlib import ExitStack

import pytest

from standee.errors import InvalidField
from standee_gateway.access import check_token, is_loopback, new_token
from support.command_line import Run
from support.daemons import Running
from support.gateway.processes import Asked, said, start


@pytest.mark.parametrize("path", ["/v1/health", "/v1/jobs", "/openapi.json", "/nowhere", "/mcp"])
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic dTpw", "{token}"])
def test_nothing_is_told_without_the_token(gateway: Asked, path: str, given: str) -> None:
    answer = gateway.ask("GET", path, Authorization=given.format(token=gateway.token))
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json["error"]["code"] == "unauthorised"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_page_of_another_site_is_not_answered(gateway: Asked, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/health"), ("POST", "/v1/jobs"), ("OPTIONS", "/v1/jobs")):
        answer = gateway.ask(method, path, **headers)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("[::1]:5590", 200),
        ("rebound.example.org", 421),
        ("192.168.1.20:5590", 421),
        ("localhost.example.org", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_a_name_that_was_bent_to_this_machine_is_not_answered(
    gateway: Asked, host: str, status: int
) -> None:
    assert gateway.ask("GET", "/v1/status", Host=host).status == status


def test_its_own_page_would_be_answered(gateway: Asked) -> None:
    assert gateway.ask("GET", "/v1/status", Origin=gateway.url).status == 200


def test_so_many_are_answered_at_once_and_no_more(gateway: Asked) -> None:
    job = gateway.compose({"prompt": "slow", "sampling": {"steps": 100}})
    with ExitStack() as listeners:
        for _ in range(64):
            listener = gateway.open("GET", f"/v1/jobs/{job}/events")
            assert listeners.enter_context(listener).getresponse().status == 200
        refused = gateway.ask("GET", "/v1/health")
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert refused.json["error"]["code"] == "quota-exceeded"
        assert gateway.ask("GET", "/v1/health", Authorization="").status == 401
    while gateway.ask("DELETE", f"/v1/jobs/{job}").status == 429:
        pass  # those that have left are noticed one by one
    assert gateway.ask("GET", "/v1/health").status == 200


def test_the_token_is_in_no_file_and_no_other_address_is_listened_at(
    gateway: Asked, daemon: Running
) -> None:
    assert len(gateway.token) >= 40
    host, _, port = gateway.url.rpartition(":")
    assert host == "http://127.0.0.1"
    with pytest.raises(OSError):  # noqa: PT011 - refused or unreachable, by system
        socket.create_connection(("127.0.0.2", int(port)), 1).close()
    for file in daemon.home.rglob("*"):
        if stat.S_ISREG(file.stat().st_mode):
            assert gateway.token.encode() not in file.read_bytes()


def test_an_address_that_others_reach_is_said(daemon: Running) -> None:
    process = start(daemon, "--host", "0.0.0.0", STANDEE_GATEWAY_TOKEN="x" * 20)
    try:
        told = said(process)
        assert set(told) == {"url"}, "a chosen token is not told"
        port = told["url"].rpartition(":")[2]
        asked = Asked(f"http://127.0.0.1:{port}", "x" * 20)
        assert asked.ask("GET", "/v1/status", Host="192.168.1.20").status == 200
        assert asked.ask("GET", "/v1/status", Host="rebound.example.org").status == 421
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    assert "reachable from other machines" in err
    assert "x" * 20 not in err


@pytest.mark.parametrize(
    "token", ["", "short", "w" * 12 + " " + "w" * 12, "é" * 20, "w" * 20 + "\n"]
)
def test_a_token_that_is_easy_to_guess_is_refused(token: str) -> None:
    with pytest.raises(InvalidField, match="STANDEE_GATEWAY_TOKEN"):
        check_token(token)


def test_a_start_with_such_a_token_ends_at_once(
    standee: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDEE_GATEWAY_TOKEN", "secret")
    ran = standee("gateway", "--port", "0")
    assert ran.code == 2
    assert "STANDEE_GATEWAY_TOKEN" in ran.err
    assert "secret" not in ran.err


def test_a_port_that_is_taken_is_said(standee: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = standee("gateway", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "--port" in ran.err


def test_every_token_is_another_one_and_passes_its_own_check() -> None:
    assert check_token(new_token()) != new_token()


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_which_addresses_only_this_machine_reaches(host: str, own: bool) -> None:
    assert is_loopback(host) is own
