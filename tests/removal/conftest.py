import pytest

from tests.removal.simulated import put_image


@pytest.fixture
def image(aws, scope):
    """An image that nobody uses, in AWS and in the mirror."""
    return put_image(aws, scope)
