"""Gateways as they run for people: their own process, asked over a real socket."""

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from support.daemons import Running


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asked:
    """A gateway's address. `ask` sends one request, with the token unless the headers say otherwise."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Answer:
        with self.open(method, path, body, **headers) as connection:
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def open(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> "Asking":
        given = {"Authorization": f"Bearer {self.token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Asking(self.url, method, path, body, given)

    def compose(self, composition: dict[str, Any], query: str = "") -> str:
        """Hand in a composition and return its job."""
        text = json.dumps(composition)
        answer = self.ask("POST", f"/v1/jobs{query}", text, Content_Type="application/json")
        assert answer.status == 202, answer.body
        return str(answer.json["job"])

    def finished(self, job: str) -> dict[str, Any]:
        """Read the events of a job to its end and return how it stands."""
        self.ask("GET", f"/v1/jobs/{job}/events")
        found: dict[str, Any] = self.ask("GET", f"/v1/jobs/{job}").json
        return found


class Asking:
    """One request under way."""

    def __init__(
        self, url: str, method: str, path: str, body: bytes | str | None, headers: dict[str, str]
    ) -> None:
        address = urlsplit(url)
        self._connection = HTTPConnection(address.hostname or "", address.port, timeout=20)
        self._connection.request(method, path, body, headers)

    def __enter__(self) -> HTTPConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def environment(daemon: Running, **more: str) -> dict[str, str]:
    return daemon.environment | {"STANDEE_HOME": str(daemon.home), "PYTHONUNBUFFERED": "1"} | more


def start(daemon: Running, *arguments: str, **more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "standee_cli.main", "gateway", "--port", "0", "--json"]
    return subprocess.Popen(
        [*command, *arguments],
        env=environment(daemon, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read what a gateway says when it is there."""
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        text += line
    found: dict[str, str] = json.loads(text)
    return found


def png_of_grey(shade: int, side: int = 32) -> bytes:
    """A square picture of one grey."""
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (shade,) * 3).save(stream, "PNG")
    return stream.getvalue()
