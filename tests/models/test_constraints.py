from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from registry.models import Account, Finding, Grant, Image, Role, Run, Schedule, Scope
from tests.factories import (
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_run,
    make_scope,
    make_user,
)

pytestmark = pytest.mark.django_db


def refuses(name):
    return pytest.raises(IntegrityError, match=name)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"number": "12345"}, "twelve_digits", id="a short number"),
        pytest.param({"number": "12345678901x"}, "twelve_digits", id="a letter in the number"),
        pytest.param({"payer": "1"}, "payer_twelve_digits", id="a short payer"),
        pytest.param({"role_arn": "amiportal"}, "role_is_an_arn", id="a role that is no ARN"),
    ],
)
def test_an_account_is_what_aws_knows(fields, name):
    with refuses(name):
        make_account(**fields)


def test_an_account_is_known_once():
    make_account(number="123456789012")

    with refuses("number"):
        make_account(number="123456789012")


def test_a_region_is_once_in_an_account():
    scope = make_scope()

    with refuses("scope_once_per_account"):
        make_scope(account=scope.account, region=scope.region)


def test_a_scope_has_a_region():
    with refuses("region_is_a_region"):
        make_scope(region="Ireland")


@pytest.mark.parametrize(
    "region",
    [
        "us-east-1",
        "us-gov-west-1",
        "cn-north-1",
        "eusc-de-east-1",
        "us-isob-east-1",
        "ap-southeast-5",
    ],
)
def test_a_region_of_every_partition_is_one(region):
    assert make_scope(region=region).pk


def test_a_failing_scope_says_why():
    scope = make_scope()

    with refuses("failing_says_why"):
        Scope.objects.filter(pk=scope.pk).update(failing_since=NOON, failed_at=NOON)


def test_a_mirrored_thing_is_once_in_a_scope():
    image = make_image()

    with refuses("image_once_per_scope"):
        make_image(account=image.account, region=image.region, aws_id=image.aws_id)


def test_a_mirrored_thing_is_not_seen_before_it_was_first_seen():
    with refuses("instance_seen_in_order"):
        make_instance(last_seen_at=NOON - timedelta(days=1))


def test_a_verdict_is_one_of_ours():
    with refuses("verdict_is_one_of_ours"):
        make_image(verdict="fine")


def test_a_finding_is_open_once():
    finding = make_finding()

    with refuses("open_once_per_image"):
        make_finding(image=finding.image, rule=finding.rule)


def test_a_resolved_finding_leaves_room_for_another():
    finding = make_finding(state="resolved", resolved_at=NOON)

    assert make_finding(image=finding.image, rule=finding.rule).pk


def test_a_finding_about_a_purchase_is_open_once():
    finding = make_finding(reserved_instance=make_reserved_instance())

    with refuses("open_once_per_reserved_instance"):
        make_finding(reserved_instance=finding.reserved_instance, rule=finding.rule)


def test_a_finding_is_about_one_thing():
    with refuses("finding_of_one_thing"):
        make_finding(image=make_image(), reserved_instance=make_reserved_instance())


def test_a_finding_is_resolved_after_it_opened():
    with refuses("resolved_after_opened"):
        make_finding(state="resolved", resolved_at=NOON - timedelta(hours=1))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": "resolved"}, id="a state without a time"),
        pytest.param({"state": "open", "resolved_at": NOON}, id="a time without the state"),
    ],
)
def test_a_resolved_finding_has_its_time(fields):
    with refuses("resolved_has_its_time"):
        make_finding(**fields)


def test_a_scope_has_one_active_sync():
    run = make_run(kind="sync")

    with refuses("one_active_sync_per_scope"):
        make_run(kind="sync", scope=run.scope)


def test_a_sync_that_is_over_leaves_room_for_another():
    run = make_run(kind="sync", state="succeeded", finished_at=NOON)

    assert make_run(kind="sync", scope=run.scope).pk


def test_one_audit_waits_in_the_queue():
    make_run(kind="audit")

    with refuses("one_queued_of_all"):
        make_run(kind="audit")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"state": "succeeded"}, "over_has_its_time", id="over without a time"),
        pytest.param({"finished_at": NOON}, "over_has_its_time", id="a time while queued"),
        pytest.param(
            {"state": "failed", "finished_at": NOON}, "failed_says_why", id="failed silently"
        ),
        pytest.param({"state": "waiting"}, "waiting_says_until_when", id="waiting for ever"),
    ],
)
def test_a_run_says_how_it_stands(fields, name):
    with refuses(name):
        make_run(kind="verify", **fields)


def test_a_sync_has_a_scope():
    with refuses("sync_has_a_scope"):
        make_run(kind="sync", scope=None)


def test_a_grant_is_given_once_also_for_every_account():
    user = make_user(Role.VIEWER)

    with refuses("grant_once"):
        Grant.objects.create(user=user, account=None, role=Role.VIEWER)


def test_a_role_is_one_of_ours():
    with refuses("role_is_one_of_ours"):
        make_user("owner")


def test_a_purchase_covers_an_instance_once():
    cover = make_cover(reserved_instance=make_reserved_instance(), instance=make_instance())

    with refuses("cover_once"):
        make_cover(reserved_instance=cover.reserved_instance, instance=cover.instance)


@pytest.mark.parametrize(
    "rhythm",
    [
        pytest.param({}, id="none"),
        pytest.param({"every_minutes": 5, "daily_at": "02:00"}, id="both"),
        pytest.param({"every_minutes": 0}, id="every 0 minutes"),
    ],
)
def test_a_schedule_has_one_rhythm(rhythm):
    with refuses("one_rhythm"):
        Schedule.objects.create(kind="sync", **rhythm)


def test_an_account_with_mirrored_things_is_not_deleted():
    image = make_image()

    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=image.account_id).delete()

    assert Image.objects.filter(pk=image.pk).exists()
    assert Finding.objects.count() == 0
    assert Run.objects.count() == 0
