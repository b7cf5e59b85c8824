import pytest

from registry.audit import audit, declare
from registry.models import Change, ChangeField, Finding
from tests.factories import LATER, NOON, make_image, make_user

pytestmark = pytest.mark.django_db
RHEL, SUSE = "RunInstances:0010", "RunInstances:000g"


def declared(image):
    rows = Change.objects.of(image).filter(field=ChangeField.DECLARED).order_by("pk")
    return list(rows.values_list("before", "after", "at"))


def test_what_is_declared_is_written_and_judged_at_once():
    image, ann = make_image(name="sles15"), make_user(username="ann")
    audit(at=NOON)

    declare(image, RHEL, by=ann, because="It was bought so.", at=LATER)

    image.refresh_from_db()
    assert (image.declared, image.declared_by, image.declared_at) == (RHEL, ann, LATER)
    assert image.declared_because == "It was bought so."
    assert (image.verdict, image.source, image.confidence) == ("lost", "declared", "strong")
    assert image.evidence[0]["sentence"] == "Declared by ann on 2026-11-24: It was bought so."
    assert "AMI001" in Finding.objects.open().filter(image=image).values_list("rule", flat=True)
    assert declared(image) == [(None, RHEL, LATER)]


def test_what_was_declared_can_be_taken_back():
    image, ann = make_image(), make_user(username="ann")
    declare(image, RHEL, by=ann, because="So.", at=NOON)

    declare(image, "", by=make_user(username="bob"), because="It was not.", at=LATER)

    image.refresh_from_db()
    assert (image.declared, image.declared_by.username) == ("", "bob")
    assert (image.verdict, image.source, image.evidence) == ("unknown", "none", [])
    assert not Finding.objects.open().exists()
    assert declared(image) == [(None, RHEL, NOON), (RHEL, None, LATER)]


def test_another_reason_for_the_same_is_no_change():
    image = make_image(declared=RHEL)

    declare(image, RHEL, by=make_user(username="ann"), because="Asked again.", at=NOON)

    image.refresh_from_db()
    assert image.evidence[0]["sentence"] == "Declared by ann on 2026-11-24: Asked again."
    assert declared(image) == []


def test_another_image_keeps_its_judgment():
    image, other = make_image(), make_image(declared=SUSE)
    audit(at=NOON)

    declare(image, RHEL, by=make_user(), because="So.", at=LATER)

    other.refresh_from_db()
    assert (other.declared, other.judged_at) == (SUSE, NOON)


def test_the_next_audit_judges_it_again():
    image = make_image(usage_operation=RHEL)
    audit(at=NOON)

    declare(image, RHEL, by=make_user(), because="So.", at=LATER)

    assert audit(at=LATER, is_full=False).images == 1
