from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.factories import make_snapshot
from tests.registration.simulated import SNAPSHOT_ID, put_snapshot


@pytest.fixture
def another_connection(db) -> Iterator[BaseDatabaseWrapper]:
    """A connection of somebody else to the same database."""
    other = connection.copy()
    yield other
    other.close()


@pytest.fixture
def redis_away(settings):
    """There is no Redis any more."""
    away = {"URL": "unix:///nonexistent/valkey.sock"}
    settings.RQ_QUEUES = {name: config | away for name, config in settings.RQ_QUEUES.items()}


@pytest.fixture
def snapshot(aws, scope):
    """A snapshot that keeps its code, in AWS and in the mirror."""
    put_snapshot(aws)
    return make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)
