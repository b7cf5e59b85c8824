import pytest

from registry.models import Role
from tests.factories import make_user


@pytest.fixture
def administrator(client, db):
    """A browser in which an administrator has signed in, who is no superuser."""
    client.force_login(make_user(Role.ADMIN, username="root"))
    return client
