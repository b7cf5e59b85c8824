import csv
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from registry.audit import audit
from registry.models import FindingState, Role
from tests.audit.reckoned import reckon
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_scope,
    make_user,
)

RHEL, RHEL_RI = "RunInstances:0010", "Red Hat Enterprise Linux"
CHANGES = reverse("reserved-instances:changes")


@pytest.fixture
def account(db):
    return make_account(name="web")


def lost(account, *, cause="", number=1, **fields):
    image = make_image(account=account, verdict="lost", expected_usage_operation=RHEL, **fields)
    make_finding(image=image, rule="AMI001", cause=cause)
    for _ in range(number):
        make_instance(account=account, image_id=image.aws_id)
    return image


def red_hat(account, number=1, **fields):
    return make_reserved_instance(
        account=account,
        product_description=RHEL_RI,
        instance_count=number,
        **{"recurring_hourly": Decimal("0.15")} | fields,
    )


def page(browser):
    """The page of what an audit finds now."""
    reckon()
    return browser.get(CHANGES)


def sums(answer):
    return answer.context["sums"]


def titles(answer):
    return [row.title for row in answer.context["rows"]]


def test_each_kind_of_change_leads_to_what_it_is_about(signed_in, account):
    images = [lost(account, cause="ami-0"), lost(account, cause="ami-0")]
    red_hat(account, 2)
    moved = make_reserved_instance(
        account=account, scope="Availability Zone", availability_zone="eu-west-1b"
    )
    make_instance(account=account, instance_type="c5.large")
    alone = make_account(name="lab", payer=account.number, reserved_instance_sharing=False)
    make_reserved_instance(account=alone, instance_type="c5.large")

    answer = page(signed_in)

    assert {row.title: row.address for row in answer.context["rows"]} == {
        "Correct every image of ami-0": f"{reverse('findings:list')}?cause=ami-0",
        **{
            f"Correct the image {image.aws_id}": image.findings.get().get_absolute_url()
            for image in images
        },
        f"Move {moved} to the region": moved.get_absolute_url(),
        "Turn on sharing for lab": reverse("accounts:detail", args=[alone.number]),
    }


def test_what_competes_for_a_purchase_counts_once_in_the_figures(signed_in, account):
    lost(account)
    lost(account)
    red_hat(account)

    answer = page(signed_in)

    assert (sums(answer).codes.units, sums(answer).codes.number) == (1, 2)
    assert sums(answer).together.hourly == Decimal("0.15")
    assert "$110" in answer.content.decode()


def test_money_that_is_not_known_is_unknown(signed_in, account):
    lost(account)
    red_hat(account, recurring_hourly=None)

    text = page(signed_in).content.decode()

    assert "$0" not in text
    assert "1 without a known amount" in text


def test_only_changes_to_accounts_that_one_may_read_are_told(client, account):
    image = lost(account)
    red_hat(account)
    other = make_account(payer=account.number, reserved_instance_sharing=False)
    foreign = lost(other, cause="ami-0")
    lost(other, cause="ami-0")
    red_hat(other, 3)
    client.force_login(make_user(Role.VIEWER, account=account))

    answer = page(client)

    assert titles(answer) == [f"Correct the image {image.aws_id}"]
    assert sums(answer).together.number == 1
    assert foreign.aws_id not in answer.content.decode()


def test_a_cause_with_an_image_out_of_reach_is_left_out(client, account):
    lost(account, cause="ami-0")
    lost(make_account(payer=account.number), cause="ami-0")
    red_hat(account, 2)
    client.force_login(make_user(Role.VIEWER, account=account))

    assert "Correct every image of ami-0" not in titles(page(client))


def test_what_is_out_of_reach_is_not_denied(client, account):
    lost(make_account(payer=account.number))
    red_hat(account)
    client.force_login(make_user(Role.VIEWER, account=account))

    assert "Of what you can read and have chosen, no wrong code" in page(client).content.decode()


def test_the_scope_that_was_chosen_narrows_the_changes_and_their_sums(signed_in, account):
    image = lost(account)
    red_hat(account)
    other = make_account()
    lost(other)
    red_hat(other)
    alone = make_account(payer=account.number, reserved_instance_sharing=False)
    make_reserved_instance(account=alone, instance_type="c5.large")
    make_instance(account=account, instance_type="c5.large")
    reckon()
    assert len(titles(signed_in.get(CHANGES))) == 3
    signed_in.post(reverse("scope"), {"accounts": [account.number]})

    answer = signed_in.get(CHANGES)

    assert titles(answer) == [f"Correct the image {image.aws_id}"]
    assert sums(answer).together.number == 1
    assert signed_in.get(reverse("overview")).context["gain"] == sums(answer)


def test_of_chosen_regions_it_is_said_that_sharing_is_for_all(signed_in, account):
    make_scope(account=account)
    alone = make_account(payer=account.number, reserved_instance_sharing=False)
    make_reserved_instance(account=alone)
    make_instance(account=account)
    reckon()

    before = signed_in.get(CHANGES).content.decode()
    signed_in.post(reverse("scope"), {"regions": ["eu-west-1"]})

    assert "Accounts share in all regions" not in before
    assert "Accounts share in all regions" in signed_in.get(CHANGES).content.decode()
    overview = signed_in.get(reverse("overview")).content.decode()
    assert "Sharing turned on for 1 account in all regions: $36." in overview


def test_nothing_to_gain_is_said(signed_in, account):
    lost(account)

    assert "No change would use more" in page(signed_in).content.decode()


def test_before_the_first_audit_nothing_is_said_of_changes(signed_in, account):
    lost(account)
    red_hat(account)

    text = signed_in.get(CHANGES).content.decode()

    assert "Not reckoned yet" in text
    assert "No change would use more" not in text
    assert "All of it together" not in text
    assert "The figures above" not in text


def test_the_page_says_of_which_audit_it_is(signed_in, account):
    lost(account)
    red_hat(account)
    reckon(at=LATER)

    assert "24 Nov 2026, 13:00" in signed_in.get(CHANGES).content.decode()


@pytest.mark.parametrize(
    "fields", [{"state": FindingState.WAIVED}, {"state": "resolved", "resolved_at": LATER}]
)
def test_what_nobody_has_to_act_on_any_more_is_left_out(signed_in, account, fields):
    images = [lost(account, cause="ami-0"), lost(account, cause="ami-0")]
    red_hat(account, 2)
    reckon()
    images[0].findings.update(**fields)

    answer = signed_in.get(CHANGES)

    assert titles(answer) == [f"Correct the image {images[1].aws_id}"]
    assert sums(answer).together.hourly == Decimal("0.15")
    assert signed_in.get(reverse("overview")).context["gain"] == sums(answer)


def test_what_was_done_since_is_left_out(signed_in, account):
    moved = make_reserved_instance(
        account=account,
        scope="Availability Zone",
        availability_zone="eu-west-1b",
        availability_zone_id="euw1-az2",
    )
    alone = make_account(payer=account.number, reserved_instance_sharing=False)
    make_reserved_instance(account=alone)
    for _ in range(2):
        make_instance(account=account)
    assert len(titles(page(signed_in))) == 2

    type(moved).objects.filter(pk=moved.pk).update(state="retired")
    type(alone).objects.filter(pk=alone.pk).update(reserved_instance_sharing=True)

    assert titles(signed_in.get(CHANGES)) == []


def test_the_file_has_the_rows_of_the_page(client, account):
    image = lost(account, name="=web", cause="ami-0", number=2)
    lost(make_account(payer=account.number), cause="ami-0")
    red_hat(account, 4)
    client.force_login(make_user(Role.VIEWER, account=account))
    reckon()

    answer = client.get(CHANGES, {"export": "csv"})

    text = b"".join(answer.streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert row == {
        "Change": f"Correct the image {image.aws_id}",
        "Kind": "image",
        "ID": image.aws_id,
        "Name": "'=web",
        "Where": "web, eu-west-1",
        "Images": "1",
        "Instances": "2",
        "Would be used": "2.0",
        "Others idle": "0.0",
        "Per month, alone": "219.00",
        "Adds": "2.0",
        "Adds per month": "219.00",
    }


def test_an_image_is_named_by_its_sellers_words_only_as_text(signed_in, account):
    lost(account, name="<b>web</b>")
    red_hat(account)

    text = page(signed_in).content.decode()

    assert "<bdi>&lt;b&gt;web&lt;/b&gt;</bdi>" in text


def test_the_overview_leads_with_the_sum_of_the_page(signed_in, account):
    image = make_image(account=account, declared=RHEL)
    make_instance(account=account, image_id=image.aws_id)
    red_hat(account)
    make_reserved_instance(
        account=account,
        instance_type="c5.large",
        scope="Availability Zone",
        availability_zone="eu-west-1b",
        availability_zone_id="euw1-az2",
    )
    make_instance(account=account, instance_type="c5.large")
    audit(at=NOON)

    overview = signed_in.get(reverse("overview"))

    text = " ".join(overview.content.decode().split())
    assert overview.context["gain"] == sums(signed_in.get(CHANGES))
    assert overview.context["gain"].together.hourly == Decimal("0.20")
    assert "Idle Reserved Instances worth $146 per month could be used" in text
    assert "Wrong codes of 1 image put right: $110." in text
    assert "1 purchase moved to the region: $36." in text


def test_the_overview_leads_without_an_amount_that_is_not_known(signed_in, account):
    lost(account)
    red_hat(account, recurring_hourly=None)
    reckon()

    text = " ".join(signed_in.get(reverse("overview")).content.decode().split())

    assert "Idle Reserved Instances could be used" in text
    assert "Wrong codes of 1 image put right, 1 without a known amount." in text


def test_the_overview_leads_without_an_amount_where_more_would_be_left_idle(signed_in, account):
    lost(account)
    red_hat(account, recurring_hourly=Decimal("0.05"))
    make_reserved_instance(account=account, recurring_hourly=Decimal("0.10"))
    reckon()

    text = " ".join(signed_in.get(reverse("overview")).content.decode().split())

    assert "Idle Reserved Instances could be used" in text
    assert "Reserved Instances worth" not in text


def test_the_overview_says_nothing_of_changes_that_would_use_nothing(signed_in, account):
    lost(account)
    reckon()

    assert "could be used" not in signed_in.get(reverse("overview")).content.decode()


def test_a_purchase_tells_what_would_use_it_and_what_can_be_done(signed_in, account):
    image = make_image(account=account, declared=RHEL)
    make_instance(account=account, image_id=image.aws_id)
    bought = red_hat(account, 2)
    audit(at=NOON)

    answer = signed_in.get(bought.get_absolute_url())

    text = answer.content.decode()
    assert "1 of 2" in text
    assert f"Correct the image {image.aws_id}" in text
    assert answer.context["remedies"][0].code == "correct"
    assert answer.context["why"][0]["title"] == "AMI lost its code"
    assert "1 whose AMI lost this code" in text


def test_what_others_run_is_told_as_a_remedy_without_their_names(client, account):
    image = make_image(declared=RHEL, account=make_account(payer=account.number))
    hidden = make_instance(account=image.account, image_id=image.aws_id, name="secret")
    bought = red_hat(account)
    audit(at=NOON)
    client.force_login(make_user(Role.VIEWER, account=account))

    answer = client.get(bought.get_absolute_url())

    assert answer.context["remedies"][0].is_possible
    assert answer.context["changes"] == []
    text = answer.content.decode()
    assert not any(name in text for name in (hidden.name, hidden.aws_id, image.aws_id))


@pytest.mark.parametrize(
    "fields", [{"state": "retired"}, {"idle": "0", "used": "1"}, {"gone_at": NOON}]
)
def test_of_a_purchase_that_wastes_nothing_there_is_nothing_to_do(signed_in, account, fields):
    lost(account)
    bought = red_hat(account, **{"idle": "1", "used": "0"} | fields)

    answer = signed_in.get(bought.get_absolute_url())

    assert (list(answer.context["changes"]), list(answer.context["remedies"])) == ([], [])


def test_the_list_tells_lost_codes_from_others(signed_in, account):
    reasons = [{"code": "wrong_platform", "instance_ids": ["i-1"]}]
    fields = {"idle": "1", "used": "0", "reasons": reasons}
    bought = red_hat(account, **fields)
    other = red_hat(account, **fields)
    title = "Reserved Instances idle: AMI lost its code"
    make_finding(reserved_instance=bought, rule="RI001", title=title)

    rows = signed_in.get(reverse("reserved-instances:list")).context["rows"]

    assert {row.pk: row.why[0]["title"] for row in rows} == {
        bought.pk: "AMI lost its code",
        other.pk: "Billing code differs",
    }


@pytest.mark.parametrize("number", [1, 10])
def test_the_number_of_queries_does_not_grow(
    signed_in, account, number, django_assert_max_num_queries
):
    for _ in range(number):
        lost(account)
    red_hat(account, number)
    page(signed_in)

    with django_assert_max_num_queries(25):
        signed_in.get(CHANGES)
