from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.models import DailyTotals, DisagreementKind, UsageKind, Utilization
from tests.factories import (
    NOON,
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def bill():
    return make_bill(payer="111122223333")


@pytest.fixture
def mine():
    return make_account(number="444455556666", name="mine", payer="111122223333")


@pytest.fixture
def theirs():
    return make_account(number="777788889999", name="theirs", payer="111122223333")


@pytest.fixture
def reader(client, mine):
    """A browser of somebody who may read one account alone."""
    client.force_login(make_user(account=mine))
    return client


def text(answer):
    return " ".join(answer.content.decode().split())


def csv_of(answer):
    return b"".join(answer.streaming_content).decode().splitlines()


def test_without_a_bill_the_list_says_how_there_will_be_one(signed_in):
    answer = signed_in.get(reverse("bills:list"))

    assert "where its Cost and Usage Report lies" in text(answer)


def test_the_list_sums_up_each_month_of_each_payer(signed_in, bill):
    earlier = make_bill(payer=bill.payer, month=date(2026, 9, 1))
    for kind, hours in ((UsageKind.RESERVED, 700), (UsageKind.SPOT, 44), (UsageKind.SPOT, 1)):
        make_billed_usage(bill=bill, kind=kind, hours=Decimal(hours))
    make_billed_purchase(bill=bill, unused_hours=Decimal(12))
    make_disagreement(bill=bill)
    make_billed_usage(bill=earlier)

    rows = list(signed_in.get(reverse("bills:list")).context["rows"])

    assert rows == [bill, earlier]
    assert "that you can read" not in text(signed_in.get(reverse("bills:list")))
    totals = rows[0].totals
    assert (totals.reserved, totals.spot, totals.on_demand) == (700, 45, 0)
    assert (totals.unused, totals.disagreements) == (12, 1)
    assert (rows[1].totals.whole, rows[1].totals.unused) == (744, None)


def test_the_list_says_that_not_all_unused_hours_are_known(signed_in, bill):
    make_billed_purchase(bill=bill, unused_hours=Decimal(12))
    assert "not stated" not in text(signed_in.get(reverse("bills:list")))

    make_billed_purchase(bill=bill, unused_hours=None)
    assert "1 purchase not stated" in text(signed_in.get(reverse("bills:list")))


def test_a_bill_says_of_how_many_purchases_the_cost_is_not_known(signed_in, bill):
    make_billed_purchase(bill=bill, unused_cost=Decimal(34))
    assert "cost not known" not in text(signed_in.get(bill.get_absolute_url()))

    make_billed_purchase(bill=bill, unused_cost=None)

    told = text(signed_in.get(bill.get_absolute_url()))
    assert "<span>34.00 USD</span> <span>1 of cost not known</span>" in told


def test_the_list_does_not_ask_more_for_more_bills(signed_in, django_assert_num_queries):
    def ask():
        signed_in.get(reverse("bills:list"))

    make_billed_usage(bill=make_bill())
    ask()  # the counts beside the page are kept for a while
    with CaptureQueriesContext(connection) as asked:
        ask()
    for month in range(1, 9):
        make_billed_usage(bill=make_bill(month=date(2026, month, 1)))

    with django_assert_num_queries(len(asked)):
        ask()


def test_a_bill_has_its_hours_by_operation_the_most_first(signed_in, bill):
    make_billed_usage(bill=bill, operation="RunInstances:0010", hours=Decimal(5))
    make_billed_usage(bill=bill, operation="RunInstances", hours=Decimal(7))
    make_billed_usage(
        bill=bill, operation="RunInstances", kind=UsageKind.RESERVED, hours=Decimal(9)
    )

    for operation in ("RunInstances:0010:SV001", "RunInstances:0010:SV006"):
        make_billed_usage(bill=bill, operation=operation, kind=UsageKind.SPOT, hours=Decimal(2))

    answer = signed_in.get(bill.get_absolute_url())

    found = answer.context["operations"]
    assert [(one.operation, one.whole) for one in found] == [
        ("RunInstances", 16),
        ("RunInstances:0010", 9),
    ]
    assert [one.cells for one in found] == [[7, 9, 0, 0], [5, 0, 0, 4]]
    assert "Red Hat Enterprise Linux" in text(answer)


def test_a_disagreement_links_the_thing_that_it_is_about(signed_in, bill, mine):
    machine = make_instance(account=mine, name="web-1")
    make_disagreement(bill=bill, account=mine.number, subject=machine.aws_id)
    bought = make_reserved_instance(account=mine)
    make_disagreement(
        bill=bill, kind=DisagreementKind.USE, account=mine.number, subject=bought.aws_id
    )
    make_disagreement(bill=bill, kind=DisagreementKind.NOT_KNOWN, subject="unknown")

    answer = signed_in.get(bill.get_absolute_url())

    assert f'href="{machine.get_absolute_url()}"' in text(answer)
    assert f'href="{bought.get_absolute_url()}"' in text(answer)
    assert "web-1" in text(answer)


def test_disagreements_are_filtered_by_kind_and_words(signed_in, bill):
    of_code = make_disagreement(bill=bill, subject="i-0abc")
    of_use = make_disagreement(bill=bill, kind=DisagreementKind.USE, hours=Decimal(9))
    address = bill.get_absolute_url()

    found = [
        list(signed_in.get(address, query).context["rows"])
        for query in ({}, {"kind": "use"}, {"q": "i-0a"}, {"q": bill.payer})
    ]

    assert found == [[of_code, of_use], [of_use], [of_code], [of_code, of_use]]


def test_what_aws_wrote_is_text(signed_in, bill):
    make_disagreement(bill=bill, billed=HOSTILE, recorded=HOSTILE, subject=HOSTILE)
    make_billed_usage(bill=bill, operation=HOSTILE)
    make_billed_purchase(bill=bill, aws_id=HOSTILE, region=HOSTILE)

    for address in (bill.get_absolute_url(), bill.get_purchases_url(), bill.get_images_url()):
        assert HOSTILE not in text(signed_in.get(address))


def test_disagreements_are_exported_without_formulas(signed_in, bill):
    make_disagreement(bill=bill, billed="=1+1", subject="i-1")

    rows = csv_of(signed_in.get(bill.get_absolute_url(), {"export": "csv"}))

    assert rows[0] == "Kind,Subject,Account,Region,On the bill,Recorded,Hours"
    assert rows[1].startswith(f"operation,i-1,{bill.payer},eu-west-1,'=1+1,")


def test_a_purchase_is_shown_with_what_was_recorded(signed_in, bill, mine):
    bought = make_reserved_instance(account=mine)
    Utilization.objects.create(reserved_instance=bought, at=OCTOBER, used="1", idle="0")
    DailyTotals.objects.bulk_create(
        DailyTotals(account=mine, day=date(2026, 10, day), at=OCTOBER.replace(day=day, hour=23))
        for day in range(1, 32)
    )
    billed = {"bill": bill, "account": mine.number}
    make_billed_purchase(
        **billed, aws_id=bought.aws_id, used_hours=Decimal(44), unused_hours=Decimal(700)
    )
    make_billed_purchase(**billed, aws_id="unknown", used_hours=None, unused_hours=None)

    answer = signed_in.get(bill.get_purchases_url())

    rows = list(answer.context["rows"])
    assert [row.aws_id for row in rows] == [bought.aws_id, "unknown"]
    assert rows[0].found.use.verdict == "differs"
    assert "743 h" in text(answer)
    assert "Not in the inventory" in text(answer)

    exported = csv_of(signed_in.get(bill.get_purchases_url(), {"export": "csv"}))
    assert exported[1].startswith(f"{bought.aws_id},{mine.number},eu-west-1,44.0,700.0,,USD,")
    assert exported[1].endswith(",744.0,743.0,0.0,2026-10-01 00:00:00+00:00,differs,True")
    assert exported[2].endswith(",,,,,not_known,")


def test_somebody_sees_what_is_of_their_accounts_alone(reader, bill, mine, theirs):
    for account, hours in ((mine, 10), (theirs, 1000)):
        make_billed_usage(bill=bill, account=account.number, hours=Decimal(hours))
        make_billed_purchase(bill=bill, account=account.number, used_hours=Decimal(hours))
        make_disagreement(bill=bill, account=account.number)

    every = reader.get(reverse("bills:list"))
    (row,) = every.context["rows"]
    assert "Of the accounts that you can read." in text(every)
    lists = [reader.get(address) for address in (bill.get_absolute_url(), bill.get_purchases_url())]

    assert (row.totals.whole, row.totals.used, row.totals.disagreements) == (10, 10, 1)
    for answer in lists:
        assert answer.context["totals"].whole == 10
        assert [one.account for one in answer.context["rows"]] == [mine.number]
        assert theirs.number not in text(answer)
        assert "theirs" not in text(answer)
    assert [one.whole for one in lists[0].context["operations"]] == [10]


def test_a_bill_of_other_accounts_is_not_there(reader, bill, theirs):
    make_billed_usage(bill=bill, account=theirs.number)

    assert list(reader.get(reverse("bills:list")).context["rows"]) == []
    assert reader.get(bill.get_absolute_url()).status_code == 404
    assert reader.get(bill.get_purchases_url()).status_code == 404
    assert reader.get(bill.get_images_url()).status_code == 404


def test_what_a_bill_names_no_account_for_is_the_payers(reader, bill, mine, theirs):
    bought = make_reserved_instance(account=theirs)
    make_billed_purchase(bill=bill, account="", aws_id=bought.aws_id)
    make_billed_usage(bill=bill, account=mine.number)

    assert not reader.get(bill.get_purchases_url()).context["rows"]

    own = make_bill(payer=mine.number)
    make_billed_purchase(bill=own, account="", aws_id=bought.aws_id)
    (row,) = reader.get(own.get_purchases_url()).context["rows"]
    assert row.found.row is None


def test_the_scope_narrows_what_is_summed_up(signed_in, bill, mine, theirs):
    for account in (mine, theirs):
        make_billed_usage(bill=bill, account=account.number, hours=Decimal(10))
    session = signed_in.session
    session["scope"] = {"accounts": [mine.number], "regions": ["eu-west-1"]}
    session.save()

    assert signed_in.get(bill.get_absolute_url()).context["totals"].whole == 10


def test_a_scope_of_the_payer_has_what_a_bill_names_no_account_for(signed_in):
    payer, other = make_account(), make_account()
    bill = make_bill(payer=payer.number)
    make_billed_usage(bill=bill, account="", hours=Decimal(10))
    session = signed_in.session

    for chosen, hours in ((payer, 10), (other, 0)):
        session["scope"] = {"accounts": [chosen.number], "regions": []}
        session.save()

        assert signed_in.get(bill.get_absolute_url()).context["totals"].whole == hours


@pytest.mark.parametrize("month", ["2026-9", "2026-13", "october", "2026-11"])
def test_a_month_that_was_not_read_is_not_there(signed_in, bill, month):
    assert signed_in.get(f"/bills/{bill.payer}/{month}/").status_code == 404


def test_instances_that_were_never_read_are_counted(signed_in, bill, mine):
    machine = make_instance(account=mine)
    make_billed_usage(bill=bill, account=mine.number, resource_id=machine.aws_id)
    for operation in ("RunInstances", "RunInstances:0010"):
        make_billed_usage(bill=bill, resource_id="i-unknown", operation=operation)
    make_billed_usage(bill=bill, resource_id="")

    assert signed_in.get(bill.get_absolute_url()).context["unknown_instances"] == 1


def test_a_report_without_instances_says_that_codes_are_not_compared(signed_in):
    bill = make_bill(names_instances=False, read_at=NOON)

    assert "does not name instances" in text(signed_in.get(bill.get_absolute_url()))


def test_images_are_shown_with_what_their_instances_were_billed_with(signed_in, bill, mine):
    right, wrong = (make_image(account=mine, usage_operation="RunInstances:0010") for _ in range(2))
    for image, operation in ((right, "RunInstances:0010"), (wrong, "RunInstances")):
        for kind in (UsageKind.RESERVED, UsageKind.SPOT):
            machine = make_instance(account=mine, image_id=image.aws_id)
            make_billed_usage(
                bill=bill,
                account=mine.number,
                resource_id=machine.aws_id,
                operation=operation,
                kind=kind,
            )
    unknown = make_instance(account=mine, image_id="ami-unknown")
    make_billed_usage(bill=bill, account=mine.number, resource_id=unknown.aws_id)

    answer = signed_in.get(bill.get_images_url())

    found = answer.context["images"]
    assert found[0].aws_id == wrong.aws_id
    assert {one.aws_id: (one.hours, one.other) for one in found} == {
        wrong.aws_id: (744, 744),
        right.aws_id: (744, 0),
        unknown.image_id: (744, None),
    }
    assert "Not in the inventory" in text(answer)
    rows = csv_of(signed_in.get(bill.get_images_url(), {"export": "csv"}))
    assert rows[1] == f"{wrong.aws_id},{mine.number},RunInstances:0010,RunInstances,744.0,1"


def test_an_instance_of_the_same_id_in_another_account_is_another(signed_in, bill, mine, theirs):
    make_instance(account=theirs, aws_id="i-1", image_id="ami-theirs")
    make_instance(account=mine, aws_id="i-1", image_id="ami-mine")
    make_billed_usage(bill=bill, account=mine.number, resource_id="i-1")

    (one,) = signed_in.get(bill.get_images_url()).context["images"]

    assert one.aws_id == "ami-mine"


def test_images_of_other_accounts_are_not_told(reader, bill, mine, theirs):
    image = make_image(account=theirs, name="undisclosed")
    for owner in (mine, theirs):
        machine = make_instance(account=owner, image_id=image.aws_id)
        make_billed_usage(bill=bill, account=owner.number, resource_id=machine.aws_id)

    answer = reader.get(bill.get_images_url())

    (one,) = answer.context["images"]
    assert (one.row, one.hours) == (None, 744)
    assert "undisclosed" not in text(answer)
    assert "Not in the accounts that you can read" in text(answer)
    assert "Not in the inventory" not in text(answer)


def test_with_which_hours_an_image_of_an_unreadable_code_differs_is_unknown(signed_in, bill, mine):
    image = make_image(account=mine, usage_operation="RunInstances:FFP-1")
    machine = make_instance(account=mine, image_id=image.aws_id)
    make_billed_usage(bill=bill, account=mine.number, resource_id=machine.aws_id)

    (one,) = signed_in.get(bill.get_images_url()).context["images"]

    assert one.other is None
