"""With pyzmq and msgpack alone: python examples/raw_socket.py "a robot" robot.png."""

import json
import os
import sys
import uuid
from pathlib import Path

import msgpack
import zmq

prompt, path = sys.argv[1:3]
home = os.environ.get("STANDEE_HOME") or {  # as docs/files.md says
    "win32": Path(os.environ.get("LOCALAPPDATA", "")) / "Standee",
    "darwin": Path.home() / "Library/Application Support/Standee",
}.get(
    sys.platform, Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "standee"
)
where = json.loads((Path(home) / "connection.json").read_text())
socket = zmq.Context().socket(zmq.DEALER)
socket.curve_serverkey = where["server_key"].encode()
socket.curve_publickey = where["client"]["public"].encode()
socket.curve_secretkey = where["client"]["secret"].encode()
socket.connect(where["endpoint"])


def ask(number, kind, **fields):
    socket.send(msgpack.packb({"type": kind, "id": number, **fields}))


def hear():
    while not socket.poll(10_000):  # who says nothing for a minute is taken to be gone
        ask(0, "ping")
    header, *data = socket.recv_multipart()
    return msgpack.unpackb(header) | {"data": b"".join(data)}


ask(1, "hello", version=[1, 0], client="raw_socket.py")
ask(2, "job.submit", job=uuid.uuid4().hex, spec={"prompt": prompt})
while (message := hear())["type"] not in ("result", "failed", "error"):
    print({name: message[name] for name in message if name not in ("data", "models", "limits")})
if message["type"] != "result":
    sys.exit(message["error"]["message"])
ask(3, "blob.get", digest=message["digest"], length=2**20)  # more: again, with `offset`
while (message := hear()).get("re") != 3:
    pass  # the answer to a ping
Path(path).write_bytes(message["data"])
