from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from registry.models import Role
from tests.factories import make_snapshot, make_user
from tests.jobs.steps import held_for, tried
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


@pytest.fixture
def developer(db):
    return make_user(Role.DEVELOPER, username="dora")


@pytest.fixture
def colleague(db):
    return make_user(Role.ENGINEER, username="carl")


@pytest.fixture
def other(db):
    return make_user(Role.FINOPS, username="fay")


@pytest.fixture
def held(snapshot, developer):
    """A request of a developer that waits for one other person."""
    return held_for(1, snapshot, developer)


@pytest.fixture
def trial(snapshot, developer):
    """A request that AWS has checked, and that waits for whoever made it."""
    return tried(snapshot, developer)
