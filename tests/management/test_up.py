from argparse import ArgumentTypeError

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from registry.management.commands.up import Command, host, port


class Brief(Command):
    """Does nothing between its beginning and its end."""

    def _run(self, *args):
        return


class Cut(Command):
    """Loses its database at once."""

    def _run(self, *args):
        raise OperationalError("connection is bad: no such file\n\tIs the server running?")


@pytest.fixture
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("127.0.0.1:8123", "--bind 127.0.0.1 --port 8123"),
        ("localhost:80", "--bind localhost --port 80"),
        ("[::1]:8123", "--bind ::1 --port 8123"),
    ],
)
def test_a_port_does_not_belong_to_the_address(text, advice):
    with pytest.raises(ArgumentTypeError, match=advice):
        host(text)


@pytest.mark.parametrize("text", ["", "nowhere.invalid", "192.0.2.1", "x" * 300, "a..b"])
def test_what_is_no_address_of_this_machine_is_told(text):
    with pytest.raises(ArgumentTypeError, match="is no address of this machine"):
        host(text)


@pytest.mark.parametrize("text", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_an_address_of_this_machine_is_taken(text):
    assert host(text) == text


@pytest.mark.parametrize("text", ["65536", "-1", "http", "", "8000.5", "²"])
def test_what_is_no_port_is_told(text):
    with pytest.raises(ArgumentTypeError, match="is no port"):
        port(text)


def test_a_port_is_a_number():
    assert [port("0"), port("65535")] == [0, 65_535]


def test_a_home_is_taken_until_the_process_ends_as_its_servers_stop_only_then(home):
    call_command(Brief())

    with pytest.raises(CommandError, match=f"already runs on {home}, or is just stopping"):
        call_command(Brief())


def test_a_database_that_went_away_meanwhile_is_told_in_a_sentence(home):
    with pytest.raises(CommandError) as told:
        call_command(Cut())

    assert str(told.value) == (
        f"The database does not answer. If another command on {home} has just stopped it, "
        "start again. (connection is bad: no such file)"
    )
