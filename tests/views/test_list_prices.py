from decimal import Decimal

import pytest

from registry.models import Role
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_list_price,
    make_reserved_instance,
    make_run,
    make_user,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
DENIED = "GetProducts: AccessDeniedException. You are not authorized."


@pytest.fixture
def lost(db):
    """The finding of an image that lost the code of Red Hat, with one instance."""
    make_list_price(hourly=Decimal("0.0960"))
    make_list_price(usage_operation=RHEL, hourly=Decimal("0.1536"))
    image = make_image(
        verdict="lost", usage_operation="RunInstances", expected_usage_operation=RHEL
    )
    make_instance(image_id=image.aws_id, account=image.account)
    return make_finding(image=image, running=1)


def page(client, thing):
    return " ".join(client.get(thing.get_absolute_url()).content.decode().split())


def account_page(client, account):
    return " ".join(client.get(f"/accounts/{account.number}/").content.decode().split())


def test_a_finding_tells_what_is_billed_and_what_should_be_and_calls_it_no_saving(signed_in, lost):
    found = page(signed_in, lost)

    assert '<td class="num">$0.0960</td> <td class="num">$0.1536</td>' in found
    assert "as billed</dt><dd>$0.0960</dd> <dt>As it should be billed</dt><dd>$0.1536" in found
    assert "$0.0576 less per hour is no saving: it is a license fee that isn't paid" in found
    assert "The loss is the Reserved Instances" not in found
    assert "Savings Plans may pay for a part of it" in found
    assert '<time datetime="2026-11-24T12:00Z"' in found


def test_not_all_of_many_types_are_listed_and_that_is_said(signed_in, lost):
    more = [f"m5.{size}xlarge" for size in range(20)]
    for instance_type in more[:-1]:
        make_instance(
            image_id=lost.image.aws_id, account=lost.image.account, instance_type=instance_type
        )
    assert "The first 20" not in page(signed_in, lost)

    make_instance(image_id=lost.image.aws_id, account=lost.image.account, instance_type=more[-1])
    assert "The first 20 of 21" in page(signed_in, lost)


def test_what_stays_idle_is_called_the_loss(signed_in, lost):
    lost.idle_purchases = [make_reserved_instance().aws_id]
    lost.save()

    assert "The loss is the Reserved Instances that stay idle." in page(signed_in, lost)


def test_what_runs_at_other_prices_is_told_apart(signed_in, lost):
    make_instance(image_id=lost.image.aws_id, lifecycle="spot")

    assert "1 runs at other prices: Spot, or on a Dedicated Host." in page(signed_in, lost)


def test_a_charge_too_much_is_said_as_such(signed_in, lost):
    lost.image.expected_usage_operation, lost.image.usage_operation = "RunInstances", RHEL
    lost.image.verdict = "unexpected"
    lost.image.save()
    lost.rule = "AMI003"
    lost.save()
    make_instance(image_id=lost.image.aws_id, usage_operation=RHEL)

    found = page(signed_in, lost)

    assert "That is $0.0576 per hour more than it should be." in found
    assert "no saving" not in found


def test_a_price_that_is_not_known_is_shown_as_unknown(signed_in, lost):
    make_list_price(instance_type="c5.large", problem="AWS lists more than one price.")
    make_instance(image_id=lost.image.aws_id, instance_type="c5.large")

    found = page(signed_in, lost)

    assert 'Unknown<span class="cell__sub">AWS lists more than one price.</span>' in found
    assert 'Unknown<span class="cell__sub">It was not read yet.</span>' in found
    assert "as billed</dt><dd>Unknown</dd>" in found
    assert "Of 1 instance a price is not known" in found


def test_only_instances_of_accounts_that_the_person_reads_are_counted(client, lost):
    client.force_login(make_user(account=lost.image.account))
    make_instance(image_id=lost.image.aws_id)
    lost.running = 2
    lost.save()

    found = page(client, lost)

    assert "for 1 instance." in found
    assert "Only instances of accounts that you may read are counted." in found


def test_without_prices_the_pages_say_nothing_of_them(signed_in):
    image = make_image(verdict="lost", expected_usage_operation=RHEL)
    instance = make_instance(image_id=image.aws_id)

    for thing in (make_finding(image=image, running=1), instance, make_reserved_instance()):
        assert "list price" not in page(signed_in, thing)


def test_an_instance_has_the_list_price_of_its_code(signed_in, lost):
    found = page(signed_in, make_instance(usage_operation=RHEL))

    assert "<dt>At list price</dt> <dd> $0.1536 per hour, an estimate" in found
    assert "Savings Plans may pay for it" in found


def test_an_instance_says_why_its_price_is_unknown(signed_in, lost):
    found = page(signed_in, make_instance(instance_type="x9.huge"))

    assert "Unknown: It was not read yet." in found


def test_a_purchase_stands_beside_what_it_replaces(signed_in, lost):
    row = make_reserved_instance(
        product_description="Red Hat Enterprise Linux",
        instance_count=2,
        hourly_cost=Decimal("0.2"),
        judged_at=NOON,
    )
    make_instance(account=row.account, usage_operation=RHEL)

    found = page(signed_in, row)

    assert "<dt>Paid for each per hour, used or not</dt> <dd>$0.1000</dd>" in found
    assert "<dt>An hour of use On-Demand, at list price</dt> <dd> $0.1536" in found
    assert "$0.0536 more than is paid for it" in found
    assert "1 that you can see, of its type and platform in the region" in found
    assert "$0.1536 per hour at list price, an estimate" in found


def test_money_of_another_country_has_its_name(signed_in, lost):
    make_list_price(
        region="cn-north-1", usage_operation=RHEL, hourly=Decimal("1.2"), currency="CNY"
    )

    found = page(signed_in, make_instance(region="cn-north-1", usage_operation=RHEL))

    assert "CNY 1.2000 per hour" in found


# The page of an account


def test_an_account_that_reads_no_prices_says_off(signed_in):
    assert "<dt>Prices</dt><dd> Off" in account_page(signed_in, make_account())


def test_an_account_that_reads_them_says_when_and_how_many(signed_in, lost):
    make_list_price(instance_type="x9.huge", problem="AWS lists none.")

    found = account_page(signed_in, make_account(reads_prices=True))

    assert "3 list prices, 1 of them unknown" in found
    assert "Failing" not in found


def test_before_the_first_reading_it_is_only_on(signed_in):
    assert "On, not read yet" in account_page(signed_in, make_account(reads_prices=True))


def test_how_many_there_are_is_not_told_to_who_reads_one_account(client, lost):
    account = make_account(reads_prices=True)
    client.force_login(make_user(Role.ENGINEER, account=account))

    found = account_page(client, account)

    assert "Read <time" in found
    assert "of them unknown" not in found


def test_what_aws_refused_is_said_at_the_account_that_was_refused(client):
    refused, other = (make_account(reads_prices=True) for _ in range(2))
    result = {"refused": {refused.number: DENIED}}
    make_run(kind="prices", state="failed", error="No list price.", finished_at=NOON, result=result)
    for account in (refused, other):
        client.force_login(make_user(account=account))
        assert (DENIED in account_page(client, account)) == (account == refused)
        assert "No list price." not in account_page(client, account)
