"""Connection files and keys: private, whole, and with clear words when they are not."""

import os
import stat
import sys

import pytest

from standee import connection, files, pairing
from standee.connection import Connection, Keys
from standee.errors import IncompatibleVersion, InvalidField, NotConnected, Unauthorised

posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")


@pytest.fixture
def written(tmp_path):
    """A home with a connection file."""
    path = connection.connection_file(tmp_path / "home")
    connection.write_connection(path, Connection("tcp://127.0.0.1:7", "S" * 40, Keys("P", "K")))
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_connection_file_says_what_was_written(written):
    assert connection.read_connection(written).endpoint == "tcp://127.0.0.1:7"


@posix
def test_only_its_user_can_read_a_connection_file(written):
    assert mode(written) == 0o600
    assert mode(written.parent) == 0o700


@posix
def test_a_folder_that_others_could_enter_is_closed(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o777)
    files.private_folder(folder)
    assert mode(folder) == 0o700


@posix
def test_a_connection_file_that_others_can_read_is_not_used(written):
    written.chmod(0o644)
    with pytest.raises(Unauthorised, match="chmod 600"):
        connection.read_connection(written)


def test_writing_leaves_no_parts_behind_and_replaces_what_was_there(written):
    connection.write_connection(written, Connection("tcp://127.0.0.1:8", "S" * 40, Keys("P", "K")))
    assert connection.read_connection(written).endpoint.endswith(":8")
    assert [path.name for path in written.parent.iterdir()] == ["connection.json"]


@posix
def test_a_link_planted_in_the_folder_is_not_followed(written, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    written.unlink()
    written.symlink_to(victim)
    connection.write_connection(written, Connection("tcp://127.0.0.1:9", "S" * 40, Keys("P", "K")))
    assert victim.read_text() == "precious"
    assert not written.is_symlink()


def test_without_a_file_nobody_is_there_and_the_fix_says_how_to_start(tmp_path):
    with pytest.raises(NotConnected, match="standee serve"):
        connection.read_connection(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"endpoint": 3}', b"\xff\xfe"])
def test_a_broken_file_is_one_clear_error(written, content):
    written.write_bytes(content)
    with pytest.raises(InvalidField, match="not a connection file"):
        connection.read_connection(written)


def test_a_file_of_another_major_version_is_refused(written):
    other = Connection("tcp://127.0.0.1:7", "S" * 40, Keys("P", "K"), protocol=(2, 0))
    connection.write_connection(written, other)
    with pytest.raises(IncompatibleVersion):
        connection.read_connection(written)


def test_keys_last(tmp_path):
    assert pairing.server_keys(tmp_path) == pairing.server_keys(tmp_path)
    assert pairing.server_keys(tmp_path) != pairing.local_keys(tmp_path)


def test_pairing_lets_one_more_client_in_until_it_is_unpaired(tmp_path):
    paired = pairing.pair(tmp_path, "laptop", "tcp://192.168.1.20:7717")
    assert pairing.allowed(tmp_path) == {paired.client.public: "laptop"}
    assert paired.server_key == pairing.server_keys(tmp_path).public
    assert pairing.unpair(tmp_path, "laptop")
    assert pairing.allowed(tmp_path) == {}
    assert not pairing.unpair(tmp_path, "laptop")


def test_the_secret_of_a_paired_client_stays_out_of_the_home(tmp_path):
    paired = pairing.pair(tmp_path, "laptop", "tcp://192.168.1.20:7717")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(paired.client.secret in path.read_text() for path in files)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "x" * 65])
def test_a_clients_name_is_no_path(tmp_path, name):
    with pytest.raises(InvalidField):
        pairing.pair(tmp_path, name, "tcp://h:1")
    assert not pairing.unpair(tmp_path, name)


@pytest.mark.parametrize("endpoint", ["", "h", "tcp://h", "ipc:///x", "tcp://h:port"])
def test_an_endpoint_is_a_host_and_a_port(tmp_path, endpoint):
    with pytest.raises(InvalidField, match="HOST:PORT"):
        pairing.pair(tmp_path, "laptop", endpoint)


def test_an_endpoint_needs_no_scheme(tmp_path):
    assert pairing.pair(tmp_path, "laptop", "studio.local:1").endpoint == "tcp://studio.local:1"


def test_the_home_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    assert files.home() == tmp_path
    assert connection.connection_file() == tmp_path / "connection.json"


@posix
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(Exception, match="STANDEE_HOME"):
        files.private_folder(tmp_path / "home")
