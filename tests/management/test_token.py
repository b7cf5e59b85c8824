from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from registry.models import ApiToken
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def token(*arguments, **options):
    out = StringIO()
    call_command("token", *arguments, stdout=out, **options)
    return out.getvalue()


def test_it_prints_the_secret_and_nothing_else():
    user = make_user(username="pipeline")

    said = token("pipeline", "nightly build")

    made = ApiToken.objects.of_secret(said.rstrip("\n"), at=timezone.now())
    assert (made.user, made.name, made.expires_at) == (user, "nightly build", None)


def test_it_is_valid_for_as_many_days():
    make_user(username="pipeline")

    token("pipeline", "nightly build", days=30)

    made = ApiToken.objects.get()
    assert made.expires_at == made.created_at + timedelta(days=30)


@pytest.mark.parametrize(
    ("user", "name", "days", "said"),
    [
        pytest.param("nobody", "x", None, "There is no user nobody", id="no such user"),
        pytest.param("gone", "x", None, "gone is deactivated", id="deactivated"),
        pytest.param("pipeline", " ", None, "a name of 1 to 100", id="no name"),
        pytest.param("pipeline", "x" * 101, None, "a name of 1 to 100", id="a long name"),
        pytest.param("pipeline", "a\0b", None, "a name of 1 to 100", id="a NUL"),
        pytest.param("pipeline", "x", 0, "Use 1 to 3,650 days", id="no days"),
        pytest.param("pipeline", "x", -1, "Use 1 to 3,650 days", id="less than no days"),
        pytest.param("pipeline", "x", 10**9, "Use 1 to 3,650 days", id="more than anybody lives"),
    ],
)
def test_what_makes_no_sense_makes_no_token(user, name, days, said):
    make_user(username="pipeline")
    make_user(username="gone", is_active=False)

    with pytest.raises(CommandError, match=said):
        token(user, name, days=days)
    assert not ApiToken.objects.exists()
