from decimal import Decimal
from fractions import Fraction

import pytest

from registry.audit import audit
from registry.audit.proposals import keep, kept
from registry.billing.counterfactual import Effect
from registry.billing.proposals import Added, Proposal
from registry.models import Image
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
THIRD = Fraction(1, 3)
FOUND = (
    Proposal(
        "cause",
        "ami-0",
        Effect({"ri-1": 2 * THIRD}, {}, Decimal("0.1")),
        images=("ami-1", "ami-2"),
        instances=2,
    ),
    Proposal(
        "image",
        "ami-1",
        Effect({"ri-1": THIRD}, {"ri-2": Fraction(1)}, Decimal("-0.05"), is_certain=True),
        Added(THIRD - 1, Decimal("-0.05")),
        images=("ami-1",),
        instances=1,
    ),
    Proposal("zone", "ri-3", Effect({"ri-3": THIRD}, {}, None, False), Added(THIRD, None), "z-1"),
)


def lost_code():
    account = make_account()
    image = make_image(account=account, declared=RHEL)
    make_instance(account=account, image_id=image.aws_id)
    make_reserved_instance(
        account=account,
        product_description="Red Hat Enterprise Linux",
        recurring_hourly=Decimal("0.15"),
    )
    return image


def names():
    return [(each.kind, each.name) for each in kept().proposals]


def test_what_was_kept_is_read_as_it_was():
    keep(FOUND, at=NOON)

    assert (kept().at, kept().proposals) == (NOON, FOUND)


def test_before_the_first_audit_nothing_is_known():
    assert kept() is None


def test_an_audit_that_finds_nothing_has_looked():
    audit(at=NOON)

    assert (kept().at, kept().proposals) == (NOON, ())


def test_an_audit_keeps_what_one_change_would_do():
    image = lost_code()

    audit(at=NOON)

    (found,) = kept().proposals
    assert (found.kind, found.name, found.instances) == ("image", image.aws_id, 1)
    assert (found.effect.units, found.effect.hourly) == (1, Decimal("0.15"))
    assert found.adds == Added(Fraction(1), Decimal("0.15"))


def test_the_next_audit_takes_the_place_of_the_one_before():
    lost_code()
    audit(at=NOON)
    Image.objects.update(declared="")
    other = lost_code()

    audit(at=LATER)

    assert (kept().at, names()) == (LATER, [("image", other.aws_id)])


def test_an_amount_that_no_column_holds_is_not_known():
    dear = Effect({"ri-1": Fraction(1)}, {}, None)
    keep([Proposal("image", "ami-1", dear, Added(Fraction(1), Decimal(10) ** 12))], at=NOON)

    assert kept().proposals[0].adds.hourly is None
