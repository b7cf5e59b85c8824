import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import Change, DailyTotals, Role, Utilization
from tests.factories import (
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
FIRST, SECOND = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = {"from": "2026-03-02", "to": "2026-03-09"}


@pytest.fixture
def account(db):
    """An account that was audited on both days."""
    account = make_account()
    for at in (FIRST, SECOND):
        DailyTotals.objects.create(account=account, day=at.date(), at=at)
    return account


def keep(bought, at, used, idle, *, causes=(), cost=None):
    Utilization.objects.create(
        reserved_instance=bought,
        at=at,
        used=str(used),
        idle=str(idle),
        idle_hourly_cost=cost,
        causes=list(causes),
    )


def became_idle(account, **fields):
    """Make a purchase that is idle since a day before the second audit, for a wrong code."""
    bought = make_reserved_instance(account=account, **fields)
    keep(bought, FIRST, 1, 0, cost=Decimal(0))
    keep(bought, SECOND - DAY, 0, 1, causes=["wrong_platform"], cost=Decimal("0.05"))
    return bought


def named(*instances):
    return [{"code": "wrong_platform", "instance_ids": [found.aws_id for found in instances]}]


def compared(client, **days):
    return client.get(reverse("reserved-instances:difference"), DAYS | days)


def parts(answer):
    return {part.kind: part for part in answer.context["parts"]}


def test_what_became_idle_is_told_with_its_cost_and_since_when(signed_in, account):
    bought = became_idle(account)

    answer = compared(signed_in)

    (row,) = parts(answer)["idle"].rows
    assert (row.purchase, row.since) == (bought, SECOND - DAY)
    assert (row.idle_before, row.idle_after, row.cost) == (0, 1, Decimal("0.05"))
    assert "+$36" in answer.content.decode()


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param(("0", "2", ["not_running"]), ("2", "0", []), "used", id="used again"),
        pytest.param(None, ("1", "1", ["over_bought"]), "new", id="new"),
        pytest.param(("0", "1", ["not_active"]), ("1", "0", []), "new", id="in force now"),
        pytest.param(("1", "0", []), ("0", "0", ["gone"]), "over", id="gone"),
        pytest.param(("1", "0", []), ("0", "1", ["not_active"]), "over", id="ended"),
        pytest.param(("1", "0", []), ("0", "1", ["unclear"]), "over", id="not recorded any more"),
        pytest.param(("1", "1", ["over_bought"]), ("1", "1", ["not_running"]), "", id="as idle"),
        pytest.param(("0", "0", ["gone"]), ("0", "1", ["not_active"]), "", id="never in force"),
    ],
)
def test_what_became_of_a_purchase(signed_in, account, before, after, kind):
    bought = make_reserved_instance(account=account, instance_count=2)
    if before:
        keep(bought, FIRST, *before[:2], causes=before[2])
    keep(bought, SECOND, *after[:2], causes=after[2])

    found = parts(compared(signed_in))

    assert [name for name, part in found.items() if part.rows] == ([kind] if kind else [])


def test_each_day_is_taken_as_its_last_audit_left_it(signed_in, account):
    bought = make_reserved_instance(account=account)
    keep(bought, FIRST - DAY, 0, 1)
    keep(bought, datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), 1, 0)
    keep(bought, datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC), 0, 1)
    keep(bought, datetime(2026, 3, 10, tzinfo=UTC), 1, 0)

    (row,) = parts(compared(signed_in))["idle"].rows

    assert (row.idle_before, row.idle_after) == (0, 1)


def test_idle_since_is_when_it_was_last_used_more(signed_in, account):
    bought = make_reserved_instance(account=account, instance_count=2)
    keep(bought, FIRST, 2, 0)
    keep(bought, FIRST + DAY, 0, 2)
    keep(bought, FIRST + 2 * DAY, 2, 0)
    keep(bought, FIRST + 3 * DAY, 1, 1)
    keep(bought, FIRST + 4 * DAY, 0, 2)
    keep(bought, FIRST + 5 * DAY, 1, 1)

    (row,) = parts(compared(signed_in))["idle"].rows

    assert row.since == FIRST + 3 * DAY


def test_a_cost_that_is_not_known_comes_last_and_is_in_no_sum(signed_in, account):
    for cost in (None, Decimal("0.01"), Decimal("0.05")):
        bought = make_reserved_instance(account=account)
        keep(bought, FIRST, 1, 0, cost=Decimal(0))
        keep(bought, SECOND, 0, 1, cost=cost)

    part = parts(compared(signed_in))["idle"]

    assert [row.cost for row in part.rows] == [Decimal("0.05"), Decimal("0.01"), None]
    assert (part.cost, part.unpriced) == (Decimal("0.06"), 1)


def test_the_change_of_an_image_before_is_named(signed_in, account):
    image = make_image(account=account, name="lost-one")
    machine = make_instance(account=account, image_id=image.aws_id, launched_at=FIRST - DAY)
    became_idle(account, reasons=named(machine))
    for at, before, after in (
        (FIRST - DAY, "RunInstances:0002", "RunInstances:0010"),
        (FIRST + DAY, "RunInstances:0010", "RunInstances"),
        (SECOND, "RunInstances", "RunInstances:0010"),
    ):
        Change.objects.create(
            image=image, field="usage_operation", before=before, after=after, at=at
        )

    answer = compared(signed_in)

    (row,) = parts(answer)["idle"].rows
    assert [(one.thing, one.after) for one in row.triggers] == [(image, "RunInstances")]
    assert "lost-one" in answer.content.decode()


def test_an_instance_that_was_launched_and_one_that_changed_are_named(signed_in, account):
    new = make_instance(account=account, image_id="ami-new", launched_at=FIRST + DAY)
    old = make_instance(account=account, launched_at=FIRST - DAY)
    Change.objects.create(
        instance=old, field="state", before="stopped", after="running", at=FIRST + 2 * DAY
    )
    became_idle(account, reasons=named(new, old))

    (row,) = parts(compared(signed_in))["idle"].rows

    assert [(one.thing, one.title) for one in row.triggers] == [(new, "Launched"), (old, "State")]


def test_each_purchase_is_told_its_own_changes(signed_in, account):
    machines = [make_instance(account=account, launched_at=FIRST + DAY) for _ in range(2)]
    for machine in machines:
        became_idle(account, reasons=named(machine))

    rows = parts(compared(signed_in))["idle"].rows

    assert [[one.thing for one in row.triggers] for row in rows] == [[one] for one in machines]


def test_what_came_after_a_purchase_was_idle_is_not_its_cause(signed_in, account):
    late = make_instance(account=account, launched_at=SECOND - timedelta(hours=1))
    became_idle(account, reasons=named(late))

    assert parts(compared(signed_in))["idle"].rows[0].triggers == []


def test_where_nothing_near_has_changed_the_cause_is_not_known(signed_in, account):
    machine = make_instance(account=account, launched_at=FIRST - DAY)
    became_idle(account, reasons=named(machine))

    answer = compared(signed_in)

    assert parts(answer)["idle"].rows[0].triggers == []
    assert "no image or instance near it that you can read has changed" in answer.content.decode()


def test_what_came_nearest_before_a_later_change_is_not_known(signed_in, account):
    machine = make_instance(account=account, launched_at=FIRST + DAY)
    bought = became_idle(account, reasons=named(machine))
    keep(bought, SECOND + DAY, 1, 0)

    answer = compared(signed_in)

    assert parts(answer)["idle"].rows[0].triggers is None
    assert "which instances came nearest then is not kept" in answer.content.decode()


def test_of_instances_out_of_reach_nothing_is_told(client, account):
    elsewhere = make_instance(name="undisclosed", launched_at=FIRST + DAY)
    became_idle(account, reasons=named(elsewhere))
    client.force_login(make_user(Role.VIEWER, account=account))

    answer = compared(client)

    assert parts(answer)["idle"].rows[0].triggers == []
    assert "undisclosed" not in answer.content.decode()


def test_purchases_out_of_reach_are_not_compared(client, account):
    became_idle(account)
    other = make_account()
    DailyTotals.objects.create(account=other, day=FIRST.date(), at=FIRST)
    client.force_login(make_user(Role.VIEWER, account=other))

    assert compared(client).context["is_same"]


def test_the_scope_narrows_what_is_compared(signed_in, account):
    became_idle(account, region="us-east-1")
    session = signed_in.session
    session["scope"] = {"accounts": [], "regions": ["eu-west-1"]}
    session.save()

    assert compared(signed_in).context["is_same"]


def test_the_totals_of_both_days_stand_side_by_side(signed_in, account):
    DailyTotals.objects.filter(day=FIRST.date()).update(
        running=4,
        covered="3/2",
        hourly_cost=Decimal("0.40"),
        idle_hourly_cost=Decimal("0.10"),
        verdicts={"ok": 1, "lost": 1},
    )
    other = make_account()
    DailyTotals.objects.create(
        account=other, day=SECOND.date(), at=SECOND, running=2, covered="2", unpriced=1
    )

    answer = compared(signed_in)

    first, second = answer.context["totals"]
    assert (first.coverage, first.share) == (Fraction(3, 8), Fraction(1, 2))
    assert (second.coverage, second.share, len(second.accounts)) == (1, None, 2)
    text = answer.content.decode()
    assert "$73" in text
    assert "75\u00a0%" in text
    assert "1.5 of 4" in text
    assert "1 without a known cost" in text


def test_a_day_of_which_nothing_is_kept_is_said(signed_in, account):
    became_idle(account)

    answer = compared(signed_in, **{"from": "2026-03-01"})

    text = answer.content.decode()
    assert "Nothing is kept for 1 Mar 2026" in text
    assert "kept since 2 Mar 2026" in text
    assert "parts" not in answer.context


def test_without_any_audit_that_is_said(signed_in):
    answer = signed_in.get(reverse("reserved-instances:difference"))

    assert "No audit has kept anything of these accounts yet." in answer.content.decode()


def test_on_the_first_day_nothing_can_be_compared_yet(signed_in):
    now = timezone.now()
    DailyTotals.objects.create(account=make_account(), day=now.date(), at=now)

    answer = signed_in.get(reverse("reserved-instances:difference"))

    assert "From tomorrow on, two days can be compared." in answer.content.decode()


@pytest.mark.parametrize(("days", "begin"), [(3, 3), (30, 7)])
def test_without_a_choice_the_last_week_is_compared_or_what_there_is(signed_in, days, begin):
    now = timezone.now()
    at = now - days * DAY
    DailyTotals.objects.create(account=make_account(), day=at.date(), at=at)

    answer = signed_in.get(reverse("reserved-instances:difference"))

    assert answer.context["first"] == now.date() - begin * DAY
    assert answer.context["second"] == now.date()


def test_a_code_that_was_lost_is_called_so_as_on_the_page_of_the_purchase(signed_in, account):
    machine = make_instance(account=account, launched_at=FIRST - DAY)
    bought = became_idle(account, reasons=named(machine))
    title = "Reserved Instances idle: AMI lost its code"
    make_finding(reserved_instance=bought, rule="RI001", title=title)

    (row,) = parts(compared(signed_in))["idle"].rows

    assert row.causes == ["AMI lost its code"]


def test_of_an_audit_before_the_last_no_lost_code_is_claimed(signed_in, account):
    bought = became_idle(account)
    keep(bought, SECOND + DAY, 0, 1, causes=["wrong_platform", "over_bought"])
    title = "Reserved Instances idle: AMI lost its code"
    make_finding(reserved_instance=bought, rule="RI001", title=title)

    (row,) = parts(compared(signed_in))["idle"].rows

    assert row.causes == ["Billing code differs"]


def test_as_csv_each_purchase_is_a_line_with_what_changed_before(signed_in, account):
    machine = make_instance(account=account, image_id="ami-new", launched_at=FIRST + DAY)
    bought = became_idle(account, reasons=named(machine))
    used = make_reserved_instance(account=account)
    keep(used, FIRST, 0, 1, cost=Decimal("0.10"))
    keep(used, SECOND, "1/2", "1/2", cost=Decimal("0.05"))

    answer = compared(signed_in, export="csv")

    one, other = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (one["Became"], one["Reserved Instances"]) == ("idle", bought.aws_id)
    assert (one["Idle before"], one["Idle after"]) == ("0.0", "1.0")
    assert (one["Change per hour"], one["Since"]) == ("0.05000000", str(SECOND - DAY))
    assert one["What changed before"] == f"2026-03-03 12:00 {machine.aws_id} launched from ami-new"
    assert (other["Became"], other["Idle after"], other["Since"]) == ("used", "0.5", "")
    assert other["Change per hour"] == "-0.05000000"
    assert "reserved-instances-difference-" in answer["Content-Disposition"]


def test_that_no_audit_ran_in_between_is_said(signed_in, account):
    answer = compared(signed_in, to="2026-03-08")

    assert "No audit ran in between." in answer.content.decode()


@pytest.mark.parametrize(
    ("days", "field", "sentence"),
    [
        pytest.param({"from": ""}, "from", "Say from which day.", id="no first"),
        pytest.param({"to": ""}, "to", "Say to which day.", id="no second"),
        pytest.param({"from": "02.03.2026"}, "from", "Write a day as YYYY-MM-DD.", id="format"),
        pytest.param({"to": "2026-02-30"}, "to", "Write a day as YYYY-MM-DD.", id="no such day"),
        pytest.param({"to": "\x00"}, "to", "Write a day as YYYY-MM-DD.", id="nul"),
        pytest.param({"to": "9999-12-31"}, "to", "Choose today or a day before.", id="last day"),
        pytest.param({"to": "99999-01-01"}, "to", "Write a day as YYYY-MM-DD.", id="no such year"),
        pytest.param(
            {"from": "2026-03-09"}, "from", "Choose a day before the second one.", id="same day"
        ),
        pytest.param(
            {"to": "2026-03-01"}, "from", "Choose a day before the second one.", id="turned round"
        ),
    ],
)
def test_a_day_that_cannot_be_is_refused_at_its_field(signed_in, days, field, sentence):
    answer = compared(signed_in, **days)

    assert answer.status_code == 200
    assert sentence in answer.context["form"].errors[field]
    assert sentence in answer.content.decode()
    assert "parts" not in answer.context


def test_the_first_day_of_all_is_a_day_of_which_nothing_is_kept(signed_in, account):
    answer = compared(signed_in, **{"from": "0001-01-01"})

    assert answer.context["first"] == date(1, 1, 1)
    assert "Nothing is kept for" in answer.content.decode()


def test_hostile_words_stay_words(signed_in, account):
    machine = make_instance(account=account, name="<script>x</script>", launched_at=FIRST + DAY)
    became_idle(account, reasons=named(machine))

    assert b"<script>x" not in compared(signed_in).content


@pytest.mark.parametrize("count", [1, 15])
def test_the_number_of_queries_does_not_grow(
    signed_in, account, count, django_assert_max_num_queries
):
    for _ in range(count):
        image = make_image(account=account)
        machine = make_instance(account=account, image_id=image.aws_id, launched_at=FIRST + DAY)
        Change.objects.create(image=image, field="verdict", after="lost", at=FIRST + DAY)
        became_idle(account, reasons=named(machine))

    with django_assert_max_num_queries(40):
        compared(signed_in)
