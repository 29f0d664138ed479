"""The daemon by HTTP: jobs, events, pictures and errors, through a real gateway before a real daemon."""

import base64
import json
import threading
import time
from typing import Any

import pytest

from standee.document.receipt import extract
from standee.images import digest_of
from support.daemons import Running
from support.gateway.processes import Asked, png_of_grey

RECT = {"x": 0, "y": 0, "w": 64, "h": 64}
SMALL = {"width": 64, "height": 64}


def composition(prompt: str, picture: str | None = None, **more: Any) -> dict[str, Any]:
    layers = [] if picture is None else [{"picture": picture, "rect": RECT}]
    return {"prompt": prompt, "canvas": SMALL, "layers": layers} | more


def events(gateway: Asked, job: str, **headers: str) -> list[dict[str, Any]]:
    """The events of a job that has ended, or is waited for, as a reader of server-sent events gets them."""
    answer = gateway.ask("GET", f"/v1/jobs/{job}/events", **headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line)
        if "data" in fields:
            event = json.loads(fields["data"])
            assert (int(fields["id"]), fields["event"]) == (event["seq"], event["type"])
            found.append(event)
    return found


def test_a_composition_becomes_a_picture_with_its_receipt_and_its_mark(gateway: Asked) -> None:
    job = gateway.compose(composition("drawn, whole receipt", sampling={"seed": 7, "count": 2}))
    done = gateway.finished(job)
    assert (done["state"], done["part"], done["error"]) == ("done", 1.0, None)
    assert [one["seed"] for one in done["results"]] == [7, 8]
    picture = gateway.ask("GET", done["results"][1]["picture"])
    assert picture.headers["content-type"] == "image/png"
    assert extract(picture.body)["composition"]["sampling"]["seed"] == 7
    assert b"trainedAlgorithmicMedia" in picture.body
    bare = gateway.ask("GET", f"/v1/pictures/{done['results'][1]['digest']}")
    assert digest_of(bare.body) == done["results"][1]["digest"]


def test_pictures_come_by_digest_in_place_or_as_parts_of_a_form(gateway: Asked) -> None:
    one, two, three = (png_of_grey(shade) for shade in (11, 12, 13))
    uploaded = gateway.ask("POST", "/v1/pictures", one)
    assert (uploaded.status, uploaded.json) == (201, {"digest": digest_of(one)})
    in_place = "data:image/png;base64," + base64.b64encode(two).decode()
    layers = [{"picture": name, "rect": RECT} for name in (digest_of(one), in_place, "cat.png")]
    text = json.dumps({"prompt": "whole receipt", "layers": layers})
    body = b"".join(
        b'--cut\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n\r\n%s\r\n' % part
        for part in ((b"composition", text.encode()), (b"cat.png", three))
    )
    kind = "multipart/form-data; boundary=cut"
    answer = gateway.ask("POST", "/v1/jobs", body + b"--cut--\r\n", Content_Type=kind)
    assert answer.status == 202, answer.body
    [*_, result] = events(gateway, answer.json["job"])
    assert result["type"] == "result"
    composed = result["receipt"]["composition"]["layers"]
    assert [layer["picture"] for layer in composed] == [digest_of(x) for x in (one, two, three)]
    assert gateway.ask("GET", f"/v1/pictures/{digest_of(three)}").body == three


def test_events_come_in_order_and_go_on_where_a_reader_was(gateway: Asked) -> None:
    job = gateway.compose(composition("a cat", sampling={"steps": 3}))
    told = events(gateway, job)
    assert (told[0]["type"], told[-1]["type"]) == ("queued", "result")
    numbers = [event["seq"] for event in told]
    assert numbers == sorted(set(numbers))
    later = events(gateway, job, Last_Event_ID=str(numbers[0]))
    assert numbers[0] not in [event["seq"] for event in later]
    assert later[-1] == told[-1]


def test_two_readers_see_previews_while_a_job_is_under_way(gateway: Asked) -> None:
    job = gateway.compose(composition("slow", sampling={"steps": 8}))
    seen: list[list[dict[str, Any]]] = []
    readers = [threading.Thread(target=lambda: seen.append(events(gateway, job))) for _ in "12"]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    assert len(seen) == 2
    for told in seen:
        preview = next(event for event in told if event["type"] == "preview")
        assert base64.b64decode(preview["data"]) == b"preview %d" % preview["step"]
        assert told[-1]["type"] == "result"


def test_a_job_is_cancelled_and_forgotten(gateway: Asked) -> None:
    job = gateway.compose(composition("slow", sampling={"steps": 200}))
    assert gateway.ask("GET", f"/v1/jobs/{job}").json["state"] in ("queued", "running")
    assert gateway.ask("DELETE", f"/v1/jobs/{job}").json["state"] == "cancelled"
    assert gateway.ask("DELETE", f"/v1/jobs/{job}").json["state"] == "cancelled"
    assert job in [one["job"] for one in gateway.ask("GET", "/v1/jobs").json["jobs"]]
    assert gateway.ask("DELETE", f"/v1/jobs/{job}?release=true").status == 200
    assert gateway.ask("GET", f"/v1/jobs/{job}").status == 404


def test_a_job_of_another_program_is_told_too(gateway: Asked, daemon: Running) -> None:
    from standee import Composition

    with daemon.client() as client:
        job = client.submit(Composition(prompt="by another program"))
        client.wait(job)
    known = gateway.ask("GET", f"/v1/jobs/{job}").json
    assert (known["state"], len(known["results"])) == ("done", 1)


def test_the_same_job_twice_is_one_and_another_under_its_id_a_conflict(gateway: Asked) -> None:
    slow = composition("slow", sampling={"steps": 8})
    job = gateway.compose(slow, "?job=one-and-the-same")
    assert gateway.compose(slow, "?job=one-and-the-same") == job
    other = json.dumps(composition("another"))
    path = "/v1/jobs?job=one-and-the-same"
    refused = gateway.ask("POST", path, other, Content_Type="application/json")
    assert (refused.status, refused.json["error"]["code"]) == (409, "conflict")
    assert gateway.finished(job)["state"] == "done", "the refusal leaves the first one alone"


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (b"{", 422, "invalid-field", "$"),
        (b"[]", 422, "invalid-field", "$"),
        ({"canvas": {"width": 1}}, 422, "invalid-field", "$.canvas.width"),
        (composition("", "0" * 64), 422, "missing-blob", "$.layers[0].picture"),
        (composition("", "cat.png"), 422, "invalid-field", "$.layers[0].picture"),
        (composition("", "/etc/passwd"), 422, "invalid-field", "$.layers[0].picture"),
        (composition("", "data:;base64,?"), 422, "bad-picture", "$.layers[0].picture"),
        (composition("", "data:;base64,aGVsbG8="), 422, "bad-picture", "$.layers[0].picture"),
        ({"sampling": {"model": "no-such-model"}}, 422, "unknown-model", "$.sampling.model"),
        (b" " * (2 << 20), 413, "too-large", ""),
    ],
)
def test_what_is_wrong_with_a_composition_is_told_with_its_code_and_field(
    gateway: Asked, body: Any, status: int, code: str, path: str
) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body)
    answer = gateway.ask("POST", "/v1/jobs", text, Content_Type="application/json")
    error = answer.json["error"]
    assert (answer.status, error["code"], error["path"]) == (status, code, path)
    assert error["message"]
    assert error["fix"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/jobs/no-such-job", 404, "unknown-job"),
        ("GET", "/v1/jobs/no-such-job/events", 404, "unknown-job"),
        ("GET", "/v1/jobs/no/results/0", 422, "invalid-field"),
        ("DELETE", "/v1/jobs/no-such-job", 404, "unknown-job"),
        ("GET", "/v1/pictures/" + "0" * 64, 404, "missing-blob"),
        ("GET", "/v1/pictures/cat", 422, "invalid-field"),
        ("POST", "/v1/pictures", 422, "bad-picture"),
        ("POST", "/v1/jobs", 400, "bad-message"),
        ("POST", "/v1/jobs?priority=high", 422, "invalid-field"),
        ("POST", "/v1/jobs?download=true", 409, "download-needed"),
        ("PUT", "/v1/jobs", 405, "bad-message"),
        ("GET", "/v2", 404, "bad-message"),
    ],
)
def test_other_requests_that_are_wrong(
    gateway: Asked, method: str, path: str, status: int, code: str
) -> None:
    answer = gateway.ask(method, path)
    assert (answer.status, answer.json["error"]["code"]) == (status, code), answer.json
    assert answer.json["error"]["fix"]


def test_a_failed_job_says_why(gateway: Asked) -> None:
    failed = gateway.finished(gateway.compose(composition("refuse")))
    assert failed["state"] == "failed"
    assert failed["error"]["code"] == "bad-picture"
    assert failed["error"]["path"] == "$.layers[0].picture"


def test_bodies_without_a_length_are_bounded_too(gateway: Asked) -> None:
    with gateway.open("POST", "/v1/pictures", Transfer_Encoding="chunked") as connection:
        for _ in range(40):
            connection.send(b"8000\r\n" + bytes(0x8000) + b"\r\n")
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["code"] == "too-large"


def test_a_reader_who_leaves_costs_nothing(gateway: Asked) -> None:
    job = gateway.compose(composition("slow", sampling={"steps": 12}))
    with gateway.open("GET", f"/v1/jobs/{job}/events") as connection:
        assert connection.getresponse().readline()
    started = time.monotonic()
    assert gateway.finished(job)["state"] == "done"
    assert time.monotonic() - started < 10
