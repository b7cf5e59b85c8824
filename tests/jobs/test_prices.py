from datetime import timedelta
from decimal import Decimal

import django_rq
import pytest
from django.utils import timezone

from registry.jobs import prices
from registry.jobs.housekeeping import JOBS, keep_schedule
from registry.jobs.prices import request_prices, run_prices
from registry.models import ListPrice, Role, Run, RunKind, RunState
from tests.factories import (
    NOON,
    make_account,
    make_instance,
    make_list_price,
    make_schedule,
    make_scope,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker(aws):
    """The account of the process's own credentials, which reads prices."""
    account = make_account(number="999999999999", name="base", reads_prices=True)
    make_scope(account=account)
    return account


@pytest.fixture
def another(aws):
    """An account that reads prices too, and is asked before the other."""
    role = "arn:aws:iam::111111111111:role/portal"
    aws.state.accounts["111111111111"] = {"Name": "first", "RoleArn": role, "ExternalId": "one"}
    fields = {"number": "111111111111", "name": "first", "role_arn": role}
    return make_account(**fields, external_id="one", reads_prices=True)


def done(**fields):
    run = request_prices(by=fields.get("by"))
    run_prices(run.pk)
    run.refresh_from_db()
    return run


def asked(aws):
    return [call.account for call in aws.calls if call.operation == "GetProducts"]


def test_what_is_needed_is_read_and_the_run_says_how_much(aws, asker):
    make_instance(usage_operation="RunInstances:0010")
    make_instance(usage_operation="RunInstances:0010", instance_type="x9.huge")

    run = done()

    assert run.state == RunState.SUCCEEDED
    assert run.note == "2 list prices read, 1 of them unknown."
    assert run.result["refused"] == {}
    assert ListPrice.objects.filter(hourly__isnull=False).count() == 1


def test_nobody_is_asked_where_no_account_reads_prices(aws):
    make_account()
    make_instance()

    assert request_prices(by=None) is None
    assert not Run.objects.exists()
    assert aws.calls == []


def test_a_run_waits_in_the_queue_once(aws, asker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first, second = request_prices(by=None), request_prices(by=None)

    assert first == second
    assert django_rq.get_queue("audit").job_ids == [f"run-{first.pk}-0"]
    assert JOBS[RunKind.PRICES] is run_prices


def test_nothing_is_asked_of_aws_where_all_is_known(aws, asker):
    make_instance()
    make_list_price(read_at=timezone.now())

    run = done()

    assert run.note == "Every list price that is needed is known and no older than a week."
    assert asked(aws) == []


def test_an_account_that_may_not_is_named_and_the_next_one_asks(aws, asker, another):
    make_instance()
    aws.fail("GetProducts", "access-denied", account="111111111111", times=None)

    run = done()

    assert asked(aws) == ["111111111111", "999999999999"]
    assert run.state == RunState.SUCCEEDED
    assert run.note.startswith("1 list price read, 0 of them unknown. first: GetProducts: ")
    assert list(run.result["refused"]) == ["111111111111"]
    assert "not authorized" in run.result["refused"]["111111111111"]


def test_one_account_that_works_is_enough(aws, asker, another):
    make_instance()

    done()

    assert "GetCallerIdentity" not in aws.operations_called()
    assert asked(aws) == ["111111111111"]


def test_the_next_account_asks_only_for_what_is_left(aws, asker, another):
    make_instance()
    make_instance(instance_type="c5.xlarge")
    aws.fail("GetProducts", "slow", seconds=0, account="111111111111")
    aws.fail("GetProducts", "access-denied", account="111111111111", times=None)

    run = done()

    assert asked(aws) == ["111111111111", "111111111111", "999999999999"]
    assert run.result["read"] == 2


def test_where_nobody_may_the_run_fails_in_words_and_what_is_known_stays(aws, asker):
    make_instance()
    make_list_price(read_at=NOON - timedelta(days=30))
    aws.fail("GetProducts", "access-denied", times=None)

    run = done()

    assert run.state == RunState.FAILED
    assert run.error.startswith("No list price could be read. base: GetProducts: AccessDenied")
    assert run.note == "No list price could be read."
    assert "999999999999" in run.result["refused"]
    assert ListPrice.objects.get().hourly == Decimal("0.10")


def test_half_an_answer_is_said_and_the_rest_read(aws, asker):
    make_instance()
    make_instance(instance_type="c5.xlarge")
    aws.fail("GetProducts", "half-a-page", times=1)

    run = done()

    assert run.state == RunState.SUCCEEDED
    assert "1 list price read" in run.note
    assert "PriceList is not a list" in run.note


def test_an_account_that_is_only_known_from_a_recording_is_not_asked(aws, asker):
    asker.is_synced = False
    asker.save()
    make_instance()

    assert "only known from a recording" in done().error


def test_the_credentials_of_another_account_are_not_used(aws):
    make_account(name="roleless", reads_prices=True)
    make_instance()

    assert "Give the account a role" in done().error
    assert asked(aws) == []


def test_an_account_asks_for_the_regions_of_its_own_partition_only(aws, asker):
    make_instance(region="cn-north-1")
    make_instance(region="us-gov-west-1")

    run = done()

    assert run.state == RunState.SUCCEEDED
    assert asked(aws) == []


def test_a_partition_without_price_lists_says_so(aws):
    role = "arn:aws-us-gov:iam::222222222222:role/portal"
    make_account(number="222222222222", role_arn=role, reads_prices=True)
    make_instance(region="us-gov-west-1")

    assert "AWS has no Price List API in the partition aws-us-gov." in done().error


def test_more_than_one_run_asks_for_is_left_to_the_next(aws, asker, monkeypatch):
    monkeypatch.setattr(prices, "MOST", 1)
    make_instance()
    make_instance(instance_type="c5.xlarge")

    first = done()

    second = Run.objects.get(kind=RunKind.PRICES, state=RunState.QUEUED)
    run_prices(second.pk)
    assert first.result["left"] == 1
    assert ListPrice.objects.count() == 2
    assert not Run.objects.active().exists()


def test_while_aws_slows_requests_the_run_waits(aws, asker):
    make_instance()
    aws.fail("GetProducts", "throttle", times=4)

    run = done()
    assert run.state == RunState.WAITING

    Run.objects.filter(pk=run.pk).update(wake_at=NOON)
    run_prices(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert ListPrice.objects.count() == 1


def test_where_another_account_reads_on_nothing_waits(aws, asker, another):
    make_instance()
    aws.fail("GetProducts", "throttle", account="111111111111", times=None)

    run = done()

    assert run.state == RunState.SUCCEEDED
    assert ListPrice.objects.count() == 1


def test_somebody_who_may_not_sync_everywhere_gets_no_prices(aws, asker):
    with pytest.raises(PermissionError):
        done(by=make_user(Role.FINOPS, account=asker))

    assert asked(aws) == []


@pytest.mark.parametrize("reads", [True, False])
def test_the_schedule_asks_once_a_day_where_somebody_reads(aws, reads):
    make_account(reads_prices=reads)
    nightly = make_schedule(kind="prices")

    assert keep_schedule(nightly, at=NOON)
    assert not keep_schedule(nightly, at=NOON)
    assert Run.objects.filter(kind=RunKind.PRICES).count() == reads
