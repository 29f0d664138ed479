"""A Hugging Face hub of one repository: a real HTTP server that speaks as much of its API as downloads need."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


class Hub:
    """Serves the files of `folder` as `repository`. Its fields may be changed while it runs."""

    def __init__(self, repository: str, folder: Path, licence: str = "apache-2.0") -> None:
        self.repository, self.licence = repository, licence
        self._folder = folder
        self.reset()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub._answer(self)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        """Be as at the start: the folder's files, nothing in their way, and nobody has asked yet."""
        self.files = {
            path.relative_to(self._folder).as_posix(): path.read_bytes()
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        }
        self.token: str | None = None
        """What a login has to bring along; the repository is gated then."""
        self.cut: dict[str, int] = {}
        """After how many bytes of a file the connection breaks, once."""
        self.damaged: set[str] = set()
        """Files that arrive with a wrong last byte."""
        self.pause = 0.0
        """Seconds between pieces of 64 KiB."""
        self.ranges: list[tuple[str, int]] = []
        """Which file was asked for from which byte on."""
        self.headers: list[dict[str, str]] = []

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.headers.append(dict(request.headers))
        if path == f"/api/models/{self.repository}":
            self._send(request, json.dumps(self._info()).encode(), {})
        elif found := re.fullmatch(f"/{self.repository}/resolve/({COMMIT}|main)/(.+)", path):
            self._send_file(request, found[2])
        else:
            self._send(request, b"{}", {"X-Error-Code": "RepoNotFound"}, 404)

    def _info(self) -> dict[str, Any]:
        siblings = []
        for name, data in self.files.items():
            one: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_id(data)}
            if name.endswith(".safetensors"):
                sha256 = hashlib.sha256(data).hexdigest()
                one["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
            siblings.append(one)
        return {
            "id": self.repository,
            "sha": COMMIT,
            "gated": "auto" if self.token else False,
            "siblings": siblings,
            "cardData": {"license": self.licence, "license_link": "https://example.com/licence"},
        }

    def _send_file(self, request: BaseHTTPRequestHandler, name: str) -> None:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            said = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}
            return self._send(request, b"", said, 403)
        data = self.files[name]
        etag = git_id(data)
        if name.endswith(".safetensors"):
            etag = hashlib.sha256(data).hexdigest()
        size = len(data)
        if name in self.damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        said = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start, status = 0, 200
        if found := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or ""):
            start, status = int(found[1]), 206
            said["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        if request.command == "GET":
            self.ranges.append((name, start))
        cut = self.cut.pop(name, None) if request.command == "GET" else None
        self._send(request, data[start:], said, status, cut)
        return None

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        data: bytes,
        headers: dict[str, str],
        status: int = 200,
        cut: int | None = None,
    ) -> None:
        request.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "HEAD":
            return
        try:
            for at in range(0, len(data), 2**16):
                piece = data[at : at + 2**16]
                if cut is not None and at + len(piece) > cut:
                    request.wfile.write(data[at:cut])
                    request.close_connection = True
                    return
                request.wfile.write(piece)
                time.sleep(self.pause)
        except OSError:  # whoever asked is gone
            request.close_connection = True


def git_id(data: bytes) -> str:
    """Return what git calls this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def hub_without_weights(repository: str, folder: Path) -> Hub:
    """A hub whose model has a real one's description, and weights of 1 MiB that nobody can load."""
    hub = Hub(repository, folder)
    hub.files |= {name: bytes(2**20) for name in hub.files if name.endswith(".safetensors")}
    return hub
