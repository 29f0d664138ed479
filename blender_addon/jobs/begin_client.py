"""Client factory: connects to the daemon of the preferences, and starts it if they say so."""

from standee.client.client import Client
from standee.connection import read_connection
from standee.errors import NotConnected

from .. import preferences


def begin_client(client: Client | None, start: bool) -> Client:
    """Return a client that looks for the daemon, and starts it unless `start` is false.

    A `client` that is there already looks anew, and what it has under way goes on. A daemon on
    another computer is never started here. Raises `StandeeError`.
    """
    file = preferences.chosen_connection_file()
    try:
        connection = read_connection(file)
    except NotConnected:
        connection = None
    if connection is not None and not preferences.is_local(connection):
        preferences.require_online(connection)
    start = (
        start and preferences.preferences().start_daemon and preferences.may_start(connection, file)
    )
    if start and connection is None and preferences.run_start_command():
        start = False
    python = preferences.interpreter()
    if client is None:
        return Client.begin_connect(start=start, connection_file=file, python=python)
    client.reconnect(start=start, connection_file=file, python=python)
    return client
