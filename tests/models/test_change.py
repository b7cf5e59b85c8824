import pytest
from django.db import IntegrityError

from registry.models import EVERYTHING, Change, Touched
from registry.models.change import Presence
from tests.factories import LATER, NOON, make_image, make_instance

pytestmark = pytest.mark.django_db


def changed(at=NOON, **fields):
    return Change.objects.create(
        **{"field": "state", "before": "pending", "after": "available", "at": at} | fields
    )


def test_a_thing_has_its_own_changes_the_last_written_first():
    image, instance = make_image(), make_instance()
    first = changed(image=image, at=LATER)
    second = changed(image=image, at=NOON)  # an answer that came late
    other = changed(instance=instance)
    changed(image=make_image())

    assert list(Change.objects.of(image)) == [second, first]
    assert list(Change.objects.of(instance)) == [other]


@pytest.mark.parametrize("number", [0, 2])
def test_a_change_is_of_one_thing(number):
    things = {"image": make_image, "instance": make_instance}

    with pytest.raises(IntegrityError, match="registry_change_of_one_thing"):
        changed(**{name: make() for name, make in list(things.items())[:number]})


def test_a_change_reads_as_from_what_to_what():
    assert str(changed(image=make_image())) == "State: pending → available"


@pytest.mark.parametrize(("gone_at", "word"), [(None, "present"), (NOON, "gone")])
def test_what_aws_shows_no_longer_is_gone(gone_at, word):
    assert Presence.of(gone_at) == word


def test_an_audit_of_everything_can_be_asked_for():
    Touched.objects.all().delete()

    Touched.objects.everything()

    assert list(Touched.objects.values_list("kind", "aws_id")) == [(EVERYTHING, "")]
