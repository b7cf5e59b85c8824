from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import ListPrice, Run
from tests.factories import make_account, make_instance, make_scope

pytestmark = pytest.mark.django_db


def read_prices(**options):
    out = StringIO()
    call_command("read_prices", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def asker(aws):
    return make_scope(account=make_account(number="999999999999", reads_prices=True)).account


def test_prices_are_asked_for(asker):
    assert read_prices() == f"{Run.objects.get().ref} queued\n"


def test_prices_are_read_here(asker):
    make_instance()

    assert read_prices(now=True) == "1 list price read, 0 of them unknown.\n"
    assert ListPrice.objects.get().hourly


def test_it_says_how_to_turn_it_on(db):
    make_account()

    with pytest.raises(CommandError, match="reads_prices = true"):
        read_prices()


def test_what_could_not_be_read_is_an_error(aws, asker):
    make_instance()
    aws.fail("GetProducts", "access-denied", times=None)

    with pytest.raises(CommandError, match="No list price could be read"):
        read_prices(now=True)
