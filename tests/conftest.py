"""The edges of the portal, for every test: AWS, the queues, a signed-in browser."""

from collections.abc import Iterator

import boto3
import django_rq
import pytest
from botocore.config import Config
from django.conf import settings
from django.test import Client
from hypothesis import settings as hypothesis_settings

from registry.aws import Access, Ec2, connect
from registry.models import Role, Scope
from sandbox.aws.server import SimulatedAws
from tests.factories import make_account, make_scope, make_user

BASE_ACCOUNT = "999999999999"
# How long an example takes says something about the machine, not about the portal.
hypothesis_settings.register_profile("portal", deadline=None)
hypothesis_settings.load_profile("portal")


@pytest.fixture(scope="session")
def _simulated_aws() -> Iterator[SimulatedAws]:
    with SimulatedAws() as aws:
        yield aws


@pytest.fixture
def aws(_simulated_aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> SimulatedAws:
    """An empty simulated AWS, reached by real boto3 as its account 999999999999."""
    _simulated_aws.reset()
    environment = {
        "AWS_ENDPOINT_URL": _simulated_aws.url,
        "AWS_ACCESS_KEY_ID": f"AKIA{BASE_ACCOUNT}",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return _simulated_aws


@pytest.fixture
def scope(db: None) -> Scope:
    """A scope of the account that the simulated AWS is reached as."""
    return make_scope(account=make_account(number=BASE_ACCOUNT), region="eu-west-1")


@pytest.fixture
def ec2(aws: SimulatedAws) -> Ec2:
    return connect(Access(), "eu-west-1")


@pytest.fixture
def impatient(aws: SimulatedAws) -> Ec2:
    """EC2 for a caller who asks once and takes no for an answer."""
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client("ec2", region_name="eu-west-1", config=once)
    return Ec2(client, client)


@pytest.fixture(autouse=True)
def _empty_queues() -> Iterator[None]:
    yield
    for name in settings.RQ_QUEUES:
        django_rq.get_queue(name).connection.flushdb()


@pytest.fixture
def signed_in(client: Client, db: None) -> Client:
    """A browser in which an engineer of every account has signed in."""
    client.force_login(make_user(Role.ENGINEER))
    return client
