import pytest

from registry.models import Role
from tests.factories import make_user


@pytest.fixture
def dora(db):
    """A developer: works on findings, decides nothing for others."""
    return make_user(Role.DEVELOPER, username="dora")


@pytest.fixture
def fay(db):
    """Of FinOps: assigns, waives and reopens."""
    return make_user(Role.FINOPS, username="fay")


@pytest.fixture
def vic(db):
    """A viewer."""
    return make_user(Role.VIEWER, username="vic")
