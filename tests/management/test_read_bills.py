from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Bill, Run
from registry.sync.bills import Interrupted
from registry.sync.bills.lines import Lines
from tests.factories import make_account
from tests.sync.bills.reports import PAYER, usage, write_csv

pytestmark = pytest.mark.django_db


def read_bills(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("read_bills", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def test_every_month_of_a_folder_is_read_and_counted(tmp_path):
    for month in ("2026-09", "2026-11"):
        start = f"{month}-01T00:00:00Z"
        write_csv(tmp_path / f"{month}.csv", [usage(BillingPeriodStartDate=start)])

    out, err, error = read_bills(str(tmp_path), "--payer", PAYER)

    assert out.splitlines() == [
        "2026-09: 1 lines read, 1 sums of usage, 0 purchases, 0 disagreements",
        "2026-11: 1 lines read, 1 sums of usage, 0 purchases, 0 disagreements",
    ]
    assert (err, error) == ("", "")
    assert Bill.objects.count() == 2


def test_a_month_in_trouble_is_told_and_the_others_are_read(tmp_path):
    write_csv(tmp_path / "BILLING_PERIOD=2026-10" / "a.csv", [usage(UsageAmount="lots")])
    write_csv(tmp_path / "BILLING_PERIOD=2026-11" / "a.csv", [usage()])

    out, err, error = read_bills(str(tmp_path), "--payer", PAYER)

    assert out.startswith("2026-11: 1 lines read")
    assert err.startswith("2026-10: BILLING_PERIOD=2026-10/a.csv can't be read: ")
    assert error == "1 months could not be read; they are as they were."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nonexistent", "--payer", PAYER], "Nothing was read. /nonexistent is not a folder."),
        (["."], "Give both a folder and --payer, or neither."),
        (["--payer", PAYER], "Give both a folder and --payer, or neither."),
        ([".", "--payer", "12"], "12 is no account number: it has twelve digits."),
    ],
)
def test_what_makes_no_sense_is_said(arguments, words):
    assert read_bills(*arguments)[2] == words


def test_without_a_folder_the_bills_of_the_accounts_are_read(tmp_path, settings):
    settings.BILLS = tmp_path
    make_account(name="lost", bill="nowhere")

    out, _, error = read_bills()

    assert out == "lost: nowhere is not a folder.\n"
    assert error == "No bill could be read."


def test_a_reading_that_is_stopped_says_so(tmp_path, settings, monkeypatch):
    def stop(*_):
        raise Interrupted("It was stopped.")

    settings.BILLS = tmp_path
    account = make_account(bill="one")
    write_csv(tmp_path / "one" / "a.csv", [usage()])
    monkeypatch.setattr(Lines, "add", stop)

    assert read_bills()[2] == "It was stopped."
    assert Run.objects.get().error == "It was stopped."
    assert read_bills(tmp_path / "one", "--payer", account.number)[2] == "It was stopped."
