import pytest

from tests.factories import make_registration, make_snapshot
from tests.registration.simulated import SNAPSHOT_ID, put_snapshot


@pytest.fixture
def registration(aws, scope):
    """A registration whose snapshot exists and keeps its code; nothing was sent so far."""
    put_snapshot(aws)
    place = {"account": scope.account, "region": scope.region}
    make_snapshot(aws_id=SNAPSHOT_ID, **place)
    return make_registration(snapshot_id=SNAPSHOT_ID, name="golden", **place)
