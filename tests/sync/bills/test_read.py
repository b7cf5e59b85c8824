import time
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
from django.db.models import Sum

from registry.audit.bill import compare
from registry.models import Bill, BilledPurchase, BilledUsage, Disagreement
from registry.sync.bills import BillProblem, Folder, read_months
from tests.factories import LATER, NOON
from tests.sync.bills.reports import (
    COLUMNS,
    PAYER,
    arn,
    fee,
    months_of,
    reserved,
    usage,
    write_csv,
    write_manifest,
    write_parquet,
)

pytestmark = pytest.mark.django_db
NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
VARIED = [
    usage(),
    usage(UsageStartDate="2026-11-02T00:00:00Z", UsageEndDate="2026-11-03T00:00:00Z"),
    usage(UsageAmount="0.1", UnblendedCost="0.0125"),
    usage(Operation="RunInstances:0010", ResourceId="i-00000000000000002"),
    usage(Operation="RunInstances:0010:SV006", UsageType="SpotUsage:c5.large", region=""),
    usage(LineItemType="SavingsPlanCoveredUsage", SavingsPlanEffectiveCost="1.1"),
    reserved(UsageType="EU-BoxUsage:m5.xlarge", NormalizationFactor="8"),
    fee(NormalizationFactor="4", UnusedQuantity="672"),
]


def read(folder, **options):
    """Read what lies in a folder; return what became of each month."""
    return list(read_months(Folder(folder), payer=PAYER, at=NOON, **options))


def rows():
    """Everything that is stored, without what differs from reading to reading."""
    names = [field.name for field in BilledUsage._meta.fields if field.name not in ("id", "bill")]
    of_purchases = [
        field.name for field in BilledPurchase._meta.fields if field.name not in ("id", "bill")
    ]
    return (
        sorted(map(repr, BilledUsage.objects.values_list(*names))),
        sorted(map(repr, BilledPurchase.objects.values_list(*of_purchases))),
        list(Bill.objects.values_list("payer", "month", "through", "names_instances", "lines")),
    )


def hours_of(lines, folder):
    """Read lines and return the hours of each kind of usage."""
    write_csv(folder / "a.csv", lines)
    read(folder)
    return dict(BilledUsage.objects.values_list("kind").annotate(Sum("hours")))


def the_purchase(lines, folder, **options):
    write_csv(folder / "a.csv", lines, **options)
    read(folder)
    return BilledPurchase.objects.get()


def test_the_days_of_an_instance_become_one_row_with_its_span(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED[:2])

    (month,) = read(tmp_path)

    row = BilledUsage.objects.get()
    assert (month.month, month.is_new, month.bill.lines) == (NOVEMBER, True, 2)
    assert (row.account, row.region) == ("903318846125", "eu-west-1")
    assert (row.resource_id, row.instance_type) == ("i-00000000000000001", "m5.large")
    assert (row.operation, row.kind, row.purchase) == ("RunInstances", "on_demand", "")
    assert [row.hours, row.cost] == [48, Decimal("4.8")]
    assert row.first_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert row.last_at == month.bill.through == datetime(2026, 11, 4, tzinfo=UTC)


def test_a_bill_says_where_it_is_from(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED)

    read(tmp_path)

    bill = Bill.objects.get()
    assert (bill.payer, bill.source, bill.read_at) == (PAYER, str(tmp_path), NOON)
    assert bill.names_instances


def test_csv_in_all_its_wrappings_and_parquet_give_equal_rows(tmp_path):
    found = []
    for write, name in (
        (write_csv, "a.csv"),
        (write_csv, "a.csv.gz"),
        (write_csv, "a.csv.zip"),
        (write_parquet, "a.snappy.parquet"),
    ):
        folder = tmp_path / name
        write(folder / name, VARIED)
        assert not [month.problem for month in read(folder) if month.problem]
        found.append(rows())

    assert all(one == found[0] for one in found)
    assert len(found[0][0]) == 5


def test_usage_is_told_apart_by_what_was_billed_for_it(tmp_path):
    found = hours_of(
        [
            usage(UsageAmount="1"),
            usage(UsageAmount="2", UsageType="DedicatedUsage:m5.large"),
            usage(UsageAmount="4", Operation="RunInstances:SV001"),
            usage(
                UsageAmount="8", UsageType="USE1-SpotUsage:m5.large", Operation="RunInstances:SV1"
            ),
            usage(UsageAmount="16", LineItemType="SavingsPlanCoveredUsage"),
            reserved(UsageAmount="32"),
        ],
        tmp_path,
    )

    assert found == {"on_demand": 3, "spot": 12, "savings_plan": 16, "reserved": 32}


@pytest.mark.parametrize(
    "fields",
    [
        {"ProductCode": "AmazonRDS"},
        {"UsageType": "EU-EBS:VolumeUsage.gp3"},
        {"UsageType": "EU-UnusedBox:m5.large"},
        {"UsageType": "EU-DataTransfer-Out-Bytes"},
        {"Operation": "CreateSnapshot"},
        {"LineItemType": "Credit"},
        {"LineItemType": "Refund"},
        {"LineItemType": "Tax"},
        {"LineItemType": "EdpDiscount"},
        {"LineItemType": "SavingsPlanNegation"},
    ],
    ids=repr,
)
def test_what_is_no_hour_of_an_instance_is_left_out(tmp_path, fields):
    assert hours_of([usage(), usage(**fields)], tmp_path) == {"on_demand": 24}


def test_the_cost_is_what_the_line_really_cost(tmp_path):
    write_csv(
        tmp_path / "a.csv",
        [
            usage(UnblendedCost="2.4"),
            reserved(EffectiveCost="1.2"),
            usage(LineItemType="SavingsPlanCoveredUsage", SavingsPlanEffectiveCost="1.7"),
            usage(Operation="RunInstances:0002", UnblendedCost=""),
        ],
    )

    read(tmp_path)

    costs = {(row.kind, row.operation): row.cost for row in BilledUsage.objects.all()}
    assert costs == {
        ("on_demand", "RunInstances"): Decimal("2.4"),
        ("reserved", "RunInstances"): Decimal("1.2"),
        ("savings_plan", "RunInstances"): Decimal("1.7"),
        ("on_demand", "RunInstances:0002"): None,
    }


def test_what_cost_two_currencies_has_no_one_cost(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(), usage(CurrencyCode="CNY")])

    read(tmp_path)

    row = BilledUsage.objects.get()
    assert (row.hours, row.cost) == (Decimal(48), None)


def test_amounts_are_added_exactly(tmp_path):
    write_parquet(tmp_path / "a.parquet", [usage(UsageAmount="0.1")] * 1000)

    read(tmp_path)

    assert BilledUsage.objects.get().hours == Decimal(100)


def test_a_purchase_has_hours_of_its_own_type(tmp_path):
    found = the_purchase([reserved(), fee()], tmp_path)

    assert (found.aws_id, found.account, found.region) == ("p-1", "903318846125", "eu-west-1")
    assert (found.used_hours, found.unused_hours) == (24, 696)
    assert (found.unused_cost, found.currency) == (Decimal("34.8"), "USD")
    assert BilledUsage.objects.get().purchase == "p-1"


def test_a_purchase_that_nobody_used_was_used_no_hour(tmp_path):
    assert the_purchase([fee(UnusedQuantity="720")], tmp_path).used_hours == 0


def test_a_flexible_purchase_counts_other_sizes_by_their_units(tmp_path):
    found = the_purchase(
        [
            reserved(UsageType="EU-BoxUsage:m5.2xlarge", NormalizedUsageAmount="384"),
            reserved(UsageType="EU-BoxUsage:m5.large", NormalizedUsageAmount="96"),
            fee(NormalizationFactor="4"),
        ],
        tmp_path,
    )

    assert found.used_hours == 120


@pytest.mark.parametrize(
    "fields", [{"NormalizationFactor": "16"}, {}], ids=["by its factor", "by its size"]
)
def test_units_that_a_line_does_not_tell_are_reckoned(tmp_path, fields):
    lines = [reserved(UsageType="EU-BoxUsage:m5.2xlarge", **fields), fee()]

    assert the_purchase(lines, tmp_path).used_hours == 96


def test_units_that_cannot_be_known_are_unknown(tmp_path):
    lines = [reserved(UsageType="EU-BoxUsage:m5.new"), reserved(NormalizedUsageAmount="96"), fee()]

    assert the_purchase(lines, tmp_path).used_hours is None


def test_a_third_of_an_hour_is_kept_to_ten_digits(tmp_path):
    lines = [reserved(UsageType="EU-BoxUsage:x.y", NormalizedUsageAmount="1"), fee()]
    lines[1]["lineItem/NormalizationFactor"] = "3"

    assert the_purchase(lines, tmp_path).used_hours == Decimal("0.3333333333")


def test_without_its_fee_the_type_of_a_purchase_is_unknown(tmp_path):
    write_csv(tmp_path / "a.csv", [reserved()])

    read(tmp_path)

    assert BilledPurchase.objects.get().used_hours is None
    assert BilledUsage.objects.get().hours == 24


def test_unused_hours_come_of_units_where_hours_are_not_told(tmp_path):
    lines = [
        fee(UnusedQuantity="", UnusedNormalizedUnitQuantity="2784", NormalizationFactor="4"),
    ]

    assert the_purchase(lines, tmp_path).unused_hours == 696


@pytest.mark.parametrize(
    "name",
    ["reservation/UnusedQuantity", "reservation/UnusedRecurringFee"],
)
def test_what_the_report_does_not_say_of_a_purchase_is_unknown(tmp_path, name):
    columns = [column for column in COLUMNS if column != name]

    found = the_purchase([reserved(), fee()], tmp_path, columns=columns)

    told = found.unused_hours if name.endswith("Quantity") else found.unused_cost
    assert told is None
    assert found.used_hours == 24


@pytest.mark.parametrize("factor", ["4", ""])
@pytest.mark.parametrize(
    ("name", "column"),
    [("UnusedQuantity", "unused_hours"), ("UnusedRecurringFee", "unused_cost")],
)
def test_what_one_fee_does_not_say_is_not_what_the_others_say(tmp_path, name, column, factor):
    found = the_purchase([fee(), fee(NormalizationFactor=factor, **{name: ""})], tmp_path)

    assert getattr(found, column) is None


def test_unused_hours_paid_in_two_currencies_have_no_cost(tmp_path):
    found = the_purchase([fee(), fee(CurrencyCode="CNY")], tmp_path)

    assert (found.unused_hours, found.unused_cost, found.currency) == (1392, None, "")


def test_the_zone_says_the_region_where_nothing_else_does(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(region="", AvailabilityZone="us-gov-west-1b")])

    read(tmp_path)

    assert BilledUsage.objects.get().region == "us-gov-west-1"


def test_a_report_without_instances_gives_one_row_for_each_operation(tmp_path):
    lines = [usage(ResourceId=f"i-0000000000000000{n}") for n in range(5)]
    columns = [column for column in COLUMNS if column != "lineItem/ResourceId"]
    write_csv(tmp_path / "a.csv", lines, columns)

    read(tmp_path)

    row = BilledUsage.objects.get()
    assert [row.resource_id, row.hours] == ["", 120]
    assert not Bill.objects.get().names_instances


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_missing_columns_are_named(tmp_path, write):
    gone = {"lineItem/Operation", "lineItem/UsageAmount"}
    columns = [column for column in COLUMNS if column not in gone]
    write(tmp_path / ("a.csv" if write is write_csv else "a.parquet"), VARIED, columns)

    (month,) = read(tmp_path)

    assert "missing: lineItem/Operation, lineItem/UsageAmount." in month.problem
    assert not Bill.objects.exists()


def test_a_month_that_is_the_same_is_not_read_again(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED)
    read(tmp_path)

    (again,) = read_months(Folder(tmp_path), payer=PAYER, at=LATER)

    assert (again.is_new, again.bill) == (False, Bill.objects.get())
    assert again.bill.read_at == NOON


def test_a_month_that_changed_is_replaced_as_a_whole(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED)
    read(tmp_path)
    write_csv(tmp_path / "a.csv", [usage(UsageAmount="7")])

    (again,) = read(tmp_path)

    assert again.is_new
    assert [row.hours for row in BilledUsage.objects.all()] == [7]
    assert not BilledPurchase.objects.exists()


def test_whoever_compares_a_bill_meanwhile_still_finds_it(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED)
    (held,) = read(tmp_path)
    Disagreement.objects.create(bill=held.bill, kind="use", account=PAYER, subject="p-1")
    write_csv(tmp_path / "a.csv", [usage(UsageAmount="7")])

    read(tmp_path)

    assert not Disagreement.objects.exists()
    assert compare(held.bill, at=NOON) == 0


def test_what_was_listed_earlier_does_not_replace_what_was_listed_later(tmp_path):
    write_csv(tmp_path / "a.csv", VARIED)
    list(read_months(Folder(tmp_path), payer=PAYER, at=LATER))
    before = rows()
    write_csv(tmp_path / "a.csv", [usage(UsageAmount="7")])

    (month,) = read(tmp_path)

    assert "was read by somebody else" in month.problem
    assert rows() == before


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


@pytest.mark.parametrize("name", ["b.csv", "b.csv.gz", "b.csv.zip", "b.parquet"])
def test_a_file_cut_in_the_middle_leaves_what_was_there(tmp_path, name):
    folder, key = months_of(tmp_path)
    write_csv(folder / "1" / "a.csv", [usage()])
    write_manifest(folder / "daily-Manifest.json", [f"{key}/1/a.csv"])
    read(tmp_path)
    before = rows()
    write = write_parquet if name.endswith("parquet") else write_csv
    cut(write(folder / "2" / name, VARIED * 300))
    write_csv(folder / "2" / "a.csv", [usage(UsageAmount="1")])
    write_manifest(folder / "daily-Manifest.json", [f"{key}/2/a.csv", f"{key}/2/{name}"])

    (month,) = read(tmp_path)

    assert name in month.problem
    assert rows() == before


def test_dying_in_the_middle_of_storing_leaves_what_was_there(tmp_path, monkeypatch):
    write_csv(tmp_path / "a.csv", VARIED)
    read(tmp_path)
    before = rows()
    write_csv(tmp_path / "a.csv", VARIED[:1])
    monkeypatch.setattr(BilledUsage.objects, "bulk_create", lambda rows: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        read(tmp_path)

    assert rows() == before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"UsageAmount": "lots"}, "lots"),
        ({"UsageAmount": "1e30"}, "can't be read"),
        ({"UsageAmount": "1e20"}, "too large"),
        ({"UsageAmount": "nan"}, "nan"),
        ({"UsageStartDate": "yesterday"}, "yesterday"),
    ],
)
def test_a_value_that_is_none_is_named(tmp_path, fields, words):
    write_csv(tmp_path / "a.csv", [usage(**fields)])

    (month,) = read(tmp_path)

    assert words in month.problem
    assert "\n" not in month.problem
    assert not Bill.objects.exists()


def test_a_purchase_with_two_owners_is_refused(tmp_path):
    lines = [fee(), fee(ReservationARN=arn("p-1", account="222222222222"))]
    write_csv(tmp_path / "a.csv", lines)

    (month,) = read(tmp_path)

    assert month.problem == "The lines name several owners of purchase p-1."


def test_what_is_not_applicable_is_unknown(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(UnblendedCost="NA")])

    read(tmp_path)

    assert BilledUsage.objects.get().cost is None


def test_a_line_without_an_amount_is_not_taken_for_no_hour(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(), usage(UsageAmount="")])

    (month,) = read(tmp_path)

    assert month.problem == "1 lines have no lineItem/UsageAmount."


def test_times_with_a_zone_are_read_in_utc_wherever_the_machine_stands(tmp_path, monkeypatch):
    plain = write_parquet(tmp_path / "plain.parquet", [usage()])
    began = "timezone('UTC', line_item_usage_start_date) AS line_item_usage_start_date"
    table = duckdb.read_parquet(str(plain)).project(
        f"* EXCLUDE (line_item_usage_start_date), {began}"
    )
    table.write_parquet(str(tmp_path / "zoned.parquet"))
    plain.unlink()
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()

    read(tmp_path)

    monkeypatch.undo()
    time.tzset()
    assert BilledUsage.objects.get().first_at == datetime(2026, 11, 3, tzinfo=UTC)


@pytest.mark.parametrize("name", ["UsageStartDate", "UsageEndDate", "BillingPeriodStartDate"])
@pytest.mark.parametrize("time", ["99999-01-01T00:00:00Z", "0044-03-15 (BC) 12:00:00"])
def test_a_time_of_no_report_is_said(tmp_path, name, time):
    write_csv(tmp_path / "a.csv", [usage(**{name: time})])

    (month,) = read(tmp_path)

    assert month.problem == "a.csv: a line is of a time at which there were no reports."
    assert not Bill.objects.exists()


def test_a_text_with_another_zone_is_read_in_utc(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(UsageStartDate="2026-11-01T01:00:00+02:00")])

    read(tmp_path)

    assert BilledUsage.objects.get().first_at == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_hostile_words_are_kept_as_far_as_a_column_goes(tmp_path):
    evil = "RunInstances:'; DROP TABLE summed; --<script>\u202e" + "x" * 200
    lines = [
        usage(Operation=evil, UsageAccountId="'; DELETE FROM x", UsageType="BoxUsage:=cmd|' /C"),
        reserved(ReservationARN="arn:aws:ec2:eu-west-1:903318846125:reserved-instances/../x"),
    ]
    write_csv(tmp_path / "a.csv", lines)

    read(tmp_path)

    row = BilledUsage.objects.get(kind="on_demand")
    assert row.operation == evil[:64]
    assert (row.account, row.instance_type) == ("'; DELETE FR", "=cmd|' /C")
    assert BilledUsage.objects.get(kind="reserved").purchase == ""
    assert not BilledPurchase.objects.exists()


def test_a_hostile_column_is_no_statement(tmp_path):
    columns = [*COLUMNS, "x', y: 'INTEGER'}); DROP TABLE summed; --", 'a"b', "COLUMNS", "CALL"]
    write_csv(tmp_path / "a.csv", VARIED, columns)

    (month,) = read(tmp_path)

    assert month.bill.lines == len(VARIED)


def test_a_report_of_another_payer_is_refused(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(PayerAccountId="222222222222")])

    (month,) = read(tmp_path)

    assert month.problem == "The report is paid by 222222222222, not by 100000000001."


def test_lines_of_another_month_are_refused(tmp_path):
    folder, key = months_of(tmp_path)
    write_csv(folder / "a.csv", [usage(BillingPeriodStartDate="2026-10-01T00:00:00Z")])
    write_manifest(folder / "daily-Manifest.json", [f"{key}/a.csv"])

    (month,) = read(tmp_path)

    assert month.problem == "The files of 2026-11 hold lines of 2026-10."


def test_trouble_in_one_month_does_not_stop_the_others(tmp_path):
    october = {"BillingPeriodStartDate": "2026-10-01T00:00:00Z"}
    write_csv(tmp_path / "BILLING_PERIOD=2026-10" / "a.csv", [usage(UsageAmount="?", **october)])
    write_csv(tmp_path / "BILLING_PERIOD=2026-11" / "a.csv", [usage()])

    bad, good = read(tmp_path)

    assert (bad.month, bad.bill) == (OCTOBER, None)
    assert good.bill.month == NOVEMBER


def test_a_file_without_instances_belongs_to_no_month(tmp_path):
    write_csv(tmp_path / "a.csv", [usage()])
    write_csv(tmp_path / "b.csv", [usage(ProductCode="AmazonS3")])

    (month,) = read(tmp_path)

    assert (month.month, month.is_new) == (NOVEMBER, True)


def test_lines_of_no_month_are_said_also_where_months_are_wanted(tmp_path):
    write_csv(tmp_path / "a.csv", [usage(BillingPeriodStartDate="")])

    (month,) = read(tmp_path, months={NOVEMBER})

    assert month.problem == "Its lines about EC2 name no billing period."


def test_only_the_months_that_are_wanted_are_read(tmp_path):
    for month in ("2026-09", "2026-10", "2026-11"):
        start = {"BillingPeriodStartDate": f"{month}-01T00:00:00Z"}
        write_csv(tmp_path / f"BILLING_PERIOD={month}" / "a.csv", [usage(**start)])

    found = read(tmp_path, months={NOVEMBER, OCTOBER})

    assert [month.month for month in found] == [OCTOBER, NOVEMBER]


def test_an_empty_folder_holds_no_report(tmp_path):
    with pytest.raises(BillProblem, match="No report lies at"):
        read(tmp_path)
