"""What tests of the embedded servers share."""

import pytest

from sandbox.guardian import Guardian
from sandbox.postgres import Postgres


@pytest.fixture(scope="module")
def guardian():
    guardian = Guardian()
    yield guardian
    guardian.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data that the tests of a file share: to make them takes longer than to use them."""
    return tmp_path_factory.mktemp("home") / "postgres"


@pytest.fixture
def postgres(folder, guardian):
    """A server that runs."""
    server = Postgres(folder, durable=False)
    server.start(guardian)
    yield server
    server.stop(guardian)
