from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone

from registry.jobs.bills import request_bills, run_bills
from registry.jobs.housekeeping import keep_schedule
from registry.models import Bill, Disagreement, Role, Run, RunKind, RunState
from registry.sync.bills import BillProblem
from tests.factories import NOON, make_account, make_schedule, make_user
from tests.sync.bills.reports import PAYER, fee, usage, write_csv, write_manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def bills(tmp_path, settings):
    """The folder of all bills."""
    settings.BILLS = tmp_path
    return tmp_path


def first_day(months_ago=0):
    day = timezone.now().replace(day=1)
    for _ in range(months_ago):
        day = (day - timedelta(days=1)).replace(day=1)
    return day.date()


def write_month(folder, payer, months_ago=0, line=usage, **fields):
    start = f"{first_day(months_ago)}T00:00:00Z"
    told = {"PayerAccountId": payer, "BillingPeriodStartDate": start, "UsageStartDate": start}
    name = f"BILLING_PERIOD={start[:7]}"
    write_csv(folder / name / "a.csv.gz", [line(**told, UsageEndDate=start, **fields)])


def run(**options):
    """Read the bills; return the run with what it wrote down."""
    made = request_bills(by=options.get("by"))
    run_bills(made.pk)
    made.refresh_from_db()
    return made, list(made.events.order_by("pk").values_list("text", flat=True))


def test_a_request_waits_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first, second = request_bills(by=None), request_bills(by=None)

    assert first == second
    (job,) = django_rq.get_queue("audit").jobs
    assert job.timeout == 7_200


def test_this_month_and_the_last_of_every_bill_are_read(bills):
    one, other = (make_account(bill=name) for name in ("one", "two/deeper"))
    make_account()
    for months_ago in range(3):
        write_month(bills / "one", one.number, months_ago)
    write_month(bills / "two" / "deeper", other.number)

    made, told = run()

    assert sorted(Bill.objects.values_list("payer", "month", "source")) == [
        (one.number, first_day(1), "one"),
        (one.number, first_day(0), "one"),
        (other.number, first_day(0), "two/deeper"),
    ]
    assert made.state == RunState.SUCCEEDED
    assert made.note == "3 months read, 0 unchanged, 0 in trouble"
    month = f"{first_day(1):%Y-%m}"
    assert told[0] == (
        f"{one.name}, {month}: 1 lines read, 1 sums of usage, 0 purchases, 0 disagreements"
    )


def test_each_bill_is_compared_with_what_is_recorded(bills):
    account = make_account(bill="one")
    write_month(bills / "one", account.number, line=fee)

    run()

    assert Disagreement.objects.get().subject == "p-1"


def test_a_bill_that_is_as_before_is_compared_again(bills):
    account = make_account(bill="one")
    write_month(bills / "one", account.number, line=fee)
    run()
    Disagreement.objects.all().delete()

    made, _ = run()

    assert made.note == "0 months read, 1 unchanged, 0 in trouble"
    assert Disagreement.objects.exists()


def test_the_bill_of_an_account_is_that_of_who_pays_for_it(bills):
    make_account(bill="one", payer=PAYER)
    write_month(bills / "one", PAYER)

    run()

    assert Bill.objects.get().payer == PAYER


def test_trouble_with_one_account_stops_no_other(bills):
    make_account(name="lost", bill="nowhere")
    account = make_account(bill="two")
    write_month(bills / "two", account.number)
    write_month(bills / "two", account.number, 1, UsageAmount="lots")

    made, told = run()

    assert made.state == RunState.SUCCEEDED
    assert made.note == "1 months read, 0 unchanged, 2 in trouble"
    assert told[0] == "lost: nowhere is not a folder."
    assert "lots" in told[1]
    assert Bill.objects.count() == 1


def test_where_everything_is_in_trouble_the_run_has_failed(bills):
    make_account(name="lost", bill="nowhere")

    with pytest.raises(BillProblem):
        run()

    assert Run.objects.get().error == "lost: nowhere is not a folder."


def test_a_report_that_ended_long_ago_is_trouble(bills):
    account = make_account(name="late", bill="one")
    write_month(bills / "one", account.number, 3)

    with pytest.raises(BillProblem, match=r"late: one has no report of this month or the last\."):
        run()

    assert not Bill.objects.exists()


def test_a_link_out_of_the_folder_of_all_bills_is_not_followed(bills, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    account = make_account(name="sly", bill="link")
    write_month(elsewhere, account.number)
    (bills / "link").symlink_to(elsewhere)

    with pytest.raises(BillProblem, match="sly: A link at link leads out"):
        run()


def test_a_payer_has_one_bill(bills):
    make_account(name="first", bill="one", payer=PAYER)
    make_account(name="second", bill="two", payer=PAYER)
    write_month(bills / "one", PAYER)
    write_month(bills / "two", PAYER)

    _, told = run()

    assert told[1] == "second: its payer's bill is that of first already."
    assert Bill.objects.get().source == "one"


def test_only_the_bills_of_accounts_that_one_may_sync_are_read(bills):
    mine, other = make_account(bill="one"), make_account(bill="two")
    write_month(bills / "one", mine.number)
    write_month(bills / "two", other.number)

    run(by=make_user(Role.ENGINEER, mine))

    assert Bill.objects.get().payer == mine.number


def test_who_may_sync_nothing_reads_no_bill(bills):
    with pytest.raises(PermissionError):
        run(by=make_user(Role.VIEWER))


def test_the_schedule_asks_for_bills_where_there_are_any(bills):
    daily = make_schedule(kind="bills")

    assert keep_schedule(daily, at=NOON)
    assert not Run.objects.exists()

    make_account(bill="one")
    assert keep_schedule(daily, at=NOON + timedelta(days=1))
    assert Run.objects.get().kind == RunKind.BILLS


def test_words_of_a_report_that_cannot_be_stored_stop_no_other(bills):
    sly, account = make_account(name="sly", bill="one"), make_account(bill="two")
    folder = bills / "one" / f"BILLING_PERIOD={first_day():%Y-%m}"
    write_manifest(folder / "x-Manifest.json", ["cur/\0\ud800.csv"])
    write_month(bills / "two", account.number)

    made, told = run()

    assert made.state == RunState.SUCCEEDED
    assert told[0].startswith(f"sly, {first_day():%Y-%m}:")
    assert "cur/\ufffd\ufffd.csv" in told[0]
    assert Bill.objects.get().payer == account.number != sly.number


@pytest.mark.parametrize("name", ["loop", "n" * 300])
def test_a_folder_that_cannot_be_opened_stops_no_other(bills, name):
    make_account(name="sly", bill=name)
    account = make_account(bill="two")
    write_month(bills / "two", account.number)
    (bills / "loop").symlink_to(bills / "loop")

    made, told = run()

    assert made.state == RunState.SUCCEEDED
    assert told[0].startswith("sly: ")
    assert Bill.objects.exists()


def test_the_bill_of_a_payer_stays_that_of_its_first_account_whoever_asks(bills):
    make_account(name="first", bill="one", payer=PAYER)
    second = make_account(name="second", bill="two", payer=PAYER)
    write_month(bills / "one", PAYER)
    write_month(bills / "two", PAYER)
    run()

    with pytest.raises(BillProblem, match="its payer's bill is that of another account already"):
        run(by=make_user(Role.ENGINEER, second))

    assert Bill.objects.get().source == "one"
