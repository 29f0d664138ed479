"""The command `standee` for scripts, in a tenth of its time: each run is a fork of a process that has it loaded.

Run as a program it is that process: `python forked_commands.py SOCKET`. A command's arguments, folder, environment
and standard streams come over the socket, and its exit code goes back.
"""

import json
import os
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

ASK = """#!{python} -ISs
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({path!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [len(asked).to_bytes(4)], [0, 1, 2])
    line.sendall(asked)
    sys.exit(line.recv(1)[0])
"""


class ForkedCommands:
    """The process, and the program `standee` in `folder`, to be put on the PATH."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        path = folder / "socket"
        self.process = subprocess.Popen([sys.executable, __file__, str(path)], env=environment)
        program = folder / "standee"
        program.write_text(ASK.format(python=sys.executable, path=str(path)))
        program.chmod(0o755)
        deadline = time.monotonic() + 30
        while not path.exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def serve(path: str) -> None:
    """Run commands until the process is ended."""
    for late in ("client.client", "document.load", "document.receipt"):
        import_module(f"standee.{late}")
    import_module("standee_cli.progress")
    from standee_cli.main import main

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen()
    Path(path + ".new").rename(path)
    while True:
        line, _ = listener.accept()
        with line:
            size, streams, _, _ = socket.recv_fds(line, 4, 3)
            asked = b""
            while len(asked) < int.from_bytes(size):
                asked += line.recv(2**16)
            arguments, folder, environment = json.loads(asked)
            child = os.fork()
            if not child:
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                sys.stdin, sys.stdout, sys.stderr = map(os.fdopen, range(3), "rww")
                os.chdir(folder)
                os.environ.clear()
                os.environ.update(environment)
                code = main(arguments)
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            for stream in streams:
                os.close(stream)
            _, status = os.waitpid(child, 0)
            line.send(bytes([os.waitstatus_to_exitcode(status) % 256]))


if __name__ == "__main__":
    serve(sys.argv[1])
