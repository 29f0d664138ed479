"""A client without the client: a socket that says whatever a test wants, with whatever keys."""

import msgpack
import zmq

from standee.connection import Connection


class Raw:
    """A client that says whatever the test wants, with whatever keys."""

    def __init__(self, given: Connection | None, endpoint: str = "", **options):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if given is not None:
            self.socket.curve_serverkey = given.server_key.encode()
            self.socket.curve_publickey = given.client.public.encode()
            self.socket.curve_secretkey = given.client.secret.encode()
        for name, value in options.items():
            self.socket.setsockopt(getattr(zmq, name), value)
        self.socket.connect(given.endpoint if given is not None else endpoint)

    def say(self, *frames, **fields):
        self.socket.send_multipart(list(frames) or [msgpack.packb(fields)])

    def hear(self, seconds=5.0):
        """Return the next message's map, or `None` if none comes."""
        if not self.socket.poll(int(seconds * 1000)):
            return None
        return msgpack.unpackb(self.socket.recv_multipart()[0])

    def hello(self):
        self.say(type="hello", id=1, version=[1, 0])
        assert self.hear()["type"] == "welcome"
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.destroy(linger=0)
