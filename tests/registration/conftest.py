import pytest

from registry.models import Method, RegistrationStep
from tests.factories import make_account, make_registration, make_scope, make_snapshot
from tests.registration.simulated import SNAPSHOT_ID, put_snapshot
from tests.registration.sources import FIELDS, mirror_sources, put_sources
from tests.registration.wanted import wanted


@pytest.fixture
def registration(aws, scope):
    """A registration whose snapshot exists and keeps its code; nothing was sent so far."""
    put_snapshot(aws)
    place = {"account": scope.account, "region": scope.region}
    make_snapshot(aws_id=SNAPSHOT_ID, **place)
    return make_registration(snapshot_id=SNAPSHOT_ID, name="golden", **place)


@pytest.fixture
def registered_by(aws, scope):
    """Make a registration by any method; its source exists and keeps its code."""
    put_sources(aws)
    mirror_sources(scope.account)

    def register(method, **fields):
        place = {"account": scope.account, "region": scope.region}
        return make_registration(**{"name": "golden"} | place | FIELDS[method] | fields)

    return register


@pytest.fixture(params=list(Method))
def any_registration(request, registered_by):
    """A registration by each of the methods; nothing was sent so far."""
    return registered_by(request.param)


@pytest.fixture
def checked(any_registration):
    """A registration that AWS would accept: the next request is meant."""
    any_registration.step = RegistrationStep.CHECKED
    any_registration.save()
    return any_registration


@pytest.fixture
def asked(db):
    """Make a registration of a snapshot that the mirror has, not yet saved."""

    def ask(snapshot=None, account=None, **fields):
        account = account or make_account()
        make_scope(account=account, region="eu-west-1")
        make_snapshot(
            account=account,
            **{"aws_id": SNAPSHOT_ID, "region": "eu-west-1", "volume_size": 8} | (snapshot or {}),
        )
        return wanted(account=account, **fields)

    return ask
