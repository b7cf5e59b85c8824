import pytest

from registry.models import Role
from tests.factories import (
    make_account,
    make_image,
    make_instance,
    make_snapshot,
    make_user,
    make_volume,
)

HOP = {"name": "", "detail": "", "usage_operation": None, "is_gone": False, "is_break": False}
MAKE = {
    "image": make_image,
    "instance": make_instance,
    "snapshot": make_snapshot,
    "volume": make_volume,
}


def page(client, *hops, account=None):
    """The page of an image with a code that comes from these things, the oldest first."""
    image = make_image(account=account or make_account())
    this = {"kind": "image", "aws_id": image.aws_id, "usage_operation": "RunInstances"}
    image.lineage = [HOP | hop for hop in (*hops, this)]
    image.save()
    return client.get(image.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("kind", "code", "is_said"),
    [
        ("image", None, True),
        ("instance", None, True),
        ("image", "RunInstances", False),
        ("image", "", False),
        ("snapshot", None, False),
        ("volume", None, False),
    ],
)
def test_a_hop_says_that_its_code_is_not_known_where_one_could_be(signed_in, kind, code, is_said):
    hop = {"kind": kind, "aws_id": MAKE[kind]().aws_id, "usage_operation": code}

    assert ("No code known" in page(signed_in, hop)) == is_said


def test_nothing_is_said_of_the_code_of_what_the_person_may_not_read(client, db):
    account, hidden = make_account(), make_image()
    client.force_login(make_user(Role.VIEWER, account=account))

    text = page(client, {"kind": "image", "aws_id": hidden.aws_id}, account=account)

    assert hidden.aws_id in text
    assert "No code known" not in text


@pytest.mark.parametrize("is_readable", [True, False])
def test_an_image_that_no_account_has_is_named_by_its_instance(client, db, is_readable):
    account = make_account()
    machine = make_instance(account=account if is_readable else make_account())
    client.force_login(make_user(Role.VIEWER, account=account))
    vendor = {
        "kind": "image",
        "aws_id": "ami-vendor",
        "name": "RHEL-9.4",
        "detail": "not in the mirror",
    }
    launched = {"kind": "instance", "aws_id": machine.aws_id, "usage_operation": "RunInstances"}

    text = page(client, vendor, launched, account=account)

    assert "ami-vendor" in text
    assert ("RHEL-9.4" in text) == is_readable
