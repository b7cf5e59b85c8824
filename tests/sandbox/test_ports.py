import socket

import pytest

from sandbox.ports import choose, is_free


@pytest.fixture(params=["127.0.0.1", "::1"])
def taken(request):
    """A host and a port of it on which somebody listens."""
    kind = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(kind) as listener:
        listener.bind((request.param, 0))
        listener.listen()
        yield request.param, listener.getsockname()[1]


def test_a_port_on_which_somebody_listens_is_not_free(taken):
    assert not is_free(*taken)


def test_instead_of_a_taken_port_a_free_one_is_chosen(taken):
    host, port = taken

    chosen = choose(host, port)

    assert chosen != port
    assert is_free(host, chosen)


def test_a_free_port_is_kept():
    free = choose("127.0.0.1", 0)

    assert choose("127.0.0.1", free) == free


def test_any_port_is_a_real_one():
    assert choose("127.0.0.1", 0) > 1023


def test_a_port_that_was_just_left_is_free():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server, _ = listener.accept()
            server.close()  # who closes first is the one that waits
            client.recv(1)

    assert choose("127.0.0.1", port) == port


def test_a_port_that_listens_everywhere_is_not_free_here():
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()

        assert not is_free("127.0.0.1", listener.getsockname()[1])
