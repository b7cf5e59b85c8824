"""What the pages of an instance, an image, a purchase and a finding say of the latest bill."""

from datetime import date
from decimal import Decimal

import pytest

from registry.models import DisagreementKind, UsageKind
from tests.factories import (
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
RHEL, LINUX = "RunInstances:0010", "RunInstances"


@pytest.fixture
def account():
    return make_account()


@pytest.fixture
def bill(account):
    return make_bill(payer=account.number)


def text(answer):
    return " ".join(answer.content.decode().split())


def billed(machine, bill, operation=LINUX, hours=744, **fields):
    return make_billed_usage(
        bill=bill,
        account=machine.account.number,
        resource_id=machine.aws_id,
        operation=operation,
        hours=Decimal(hours),
        **fields,
    )


def test_an_instance_that_is_on_no_bill_says_nothing_of_one(signed_in, account):
    machine = make_instance(account=account)

    answer = signed_in.get(machine.get_absolute_url())

    assert answer.context["on_bill"] is None
    assert "On the bill" not in text(answer)


def test_an_instance_says_what_the_latest_bill_has(signed_in, account, bill):
    machine = make_instance(account=account, usage_operation=RHEL)
    billed(machine, make_bill(payer=account.number, month=date(2026, 9, 1)), operation=LINUX)
    billed(machine, bill, operation=RHEL, hours=700)
    billed(machine, bill, operation=RHEL, kind=UsageKind.RESERVED, hours=44)

    answer = signed_in.get(machine.get_absolute_url())

    found = answer.context["on_bill"]
    assert [(one.operation, one.hours) for one in found.billed] == [(RHEL, 744)]
    assert found.state == "agrees"
    assert "Bill of October 2026" in text(answer)


def test_an_instance_differs_where_the_whole_comparison_says_so(signed_in, account, bill):
    machine = make_instance(account=account, usage_operation=RHEL)
    billed(machine, bill, operation=LINUX)

    def state():
        return signed_in.get(machine.get_absolute_url()).context["on_bill"].state

    assert state() == ""  # it may have been converted since
    make_disagreement(bill=bill, account=account.number, subject=machine.aws_id)
    assert state() == "differs"


def test_hours_of_spot_are_shown_and_not_compared(signed_in, account, bill):
    machine = make_instance(account=account, usage_operation=RHEL)
    billed(machine, bill, operation=LINUX, kind=UsageKind.SPOT)

    answer = signed_in.get(machine.get_absolute_url())

    assert answer.context["on_bill"].state == ""
    assert "744 h, not compared" in text(answer)


def test_an_image_says_what_its_instances_were_billed_with(signed_in, account, bill):
    image = make_image(account=account, usage_operation=RHEL)
    for operation in (RHEL, RHEL, LINUX):
        billed(make_instance(account=account, image_id=image.aws_id), bill, operation=operation)

    answer = signed_in.get(image.get_absolute_url())

    found = answer.context["on_bill"]
    assert [(one.operation, one.hours, one.instances) for one in found.billed] == [
        (RHEL, 1488, 2),
        (LINUX, 744, 1),
    ]
    assert found.state == "differs"
    assert "1,488 h of 2 instances" in text(answer)


def test_an_image_whose_code_was_billed_is_right(signed_in, account, bill):
    image = make_image(account=account, usage_operation=RHEL)
    billed(make_instance(account=account, image_id=image.aws_id), bill, operation=RHEL)

    assert signed_in.get(image.get_absolute_url()).context["on_bill"].state == "agrees"


def test_instances_of_other_accounts_are_not_summed_up(client, account, bill):
    image = make_image(account=account)
    for owner in (account, make_account()):
        billed(make_instance(account=owner, image_id=image.aws_id), bill)
    client.force_login(make_user(account=account))

    (one,) = client.get(image.get_absolute_url()).context["on_bill"].billed

    assert (one.hours, one.instances) == (744, 1)


def test_a_finding_of_a_wrong_code_says_what_was_billed(signed_in, account, bill):
    image = make_image(account=account, verdict="lost", expected_usage_operation=RHEL)
    billed(make_instance(account=account, image_id=image.aws_id), bill)
    finding = make_finding(image=image, rule="AMI001")

    assert "744 h of 1 instance" in text(signed_in.get(finding.get_absolute_url()))


def test_a_purchase_says_what_was_used_of_it(signed_in, account, bill):
    bought = make_reserved_instance(account=account)
    make_billed_purchase(
        bill=bill,
        aws_id=bought.aws_id,
        used_hours=Decimal(700),
        unused_hours=Decimal(44),
        unused_cost=Decimal("3.5"),
    )

    answer = signed_in.get(bought.get_absolute_url())

    assert "On the bill of October 2026" in text(answer)
    assert "3.50 USD" in text(answer)
    assert "nothing is recorded of this time" in text(answer)


def test_a_purchase_says_that_the_latest_bill_does_not_have_it(signed_in, account, bill):
    bought = make_reserved_instance(account=account)
    september = make_bill(payer=account.number, month=date(2026, 9, 1))
    make_billed_purchase(bill=september, aws_id=bought.aws_id)
    make_disagreement(
        bill=bill,
        kind=DisagreementKind.NOT_BILLED,
        account=account.number,
        subject=bought.aws_id,
    )

    answer = signed_in.get(bought.get_absolute_url())

    assert answer.context["on_bill"].bill == bill
    assert "Not on the bill" in text(answer)
