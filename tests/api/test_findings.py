from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from registry.jobs.triage import run_triage
from registry.models import Finding, Role, Run
from tests.factories import (
    LATER,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_list_price,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
KEY = "11111111-2222-4333-8444-555555555555"
OTHER_KEY = "22222222-2222-4333-8444-555555555555"
IDEMPOTENT = {"Idempotency-Key": KEY}


def refs(answer):
    return [finding["ref"] for finding in answer.json()["items"]]


MIDNIGHT = int((timezone.now() + timedelta(days=30)).timestamp()) // 86_400 * 86_400


def in_days(number):
    return (timezone.now() + timedelta(days=number)).date().isoformat()


def test_tells_what_it_is_about_and_what_it_costs(program):
    image = make_image(name="web")
    finding = make_finding(
        image=image, monthly_cost=Decimal("12.50"), running=3, cause="snap-1", assignee=program.user
    )

    (found,) = program.get("/findings").json()["items"]

    assert found["ref"] == finding.ref
    assert (found["kind"], found["id"], found["name"]) == ("image", image.aws_id, "web")
    assert (found["per_month"], found["running"], found["cause"]) == ("12.50", 3, "snap-1")
    assert found["assignee"] == "erin"
    assert found["url"] == f"http://testserver/findings/{finding.ref}/"


def test_tells_instances_and_purchases_apart(program):
    make_finding(instance=make_instance(), severity="high")
    make_finding(reserved_instance=make_reserved_instance(), severity="low", rule="RI001")

    kinds = [row["kind"] for row in program.get("/findings").json()["items"]]

    assert kinds == ["instance", "reserved_instance"]


def test_leaves_out_what_is_resolved_unless_it_is_asked_for(program):
    make_finding(state="waived")
    resolved = make_finding(state="resolved", resolved_at=LATER)

    assert resolved.ref not in refs(program.get("/findings"))
    assert refs(program.get("/findings", state="resolved")) == [resolved.ref]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"account": "111122223333"}, id="account"),
        pytest.param({"region": "us-east-1"}, id="region"),
        pytest.param({"severity": "low"}, id="severity"),
        pytest.param({"rule": "AMI003"}, id="rule"),
        pytest.param({"cause": "snap-1"}, id="cause"),
        pytest.param({"state": "in_progress"}, id="state"),
        pytest.param({"assignee": "erin"}, id="assignee"),
        pytest.param({"q": " golden "}, id="words"),
    ],
)
def test_is_narrowed(program, asked):
    account = make_account(number="111122223333")
    image = make_image(name="golden-1", account=account, region="us-east-1")
    wanted = make_finding(
        image=image,
        severity="low",
        rule="AMI003",
        cause="snap-1",
        state="in_progress",
        assignee=program.user,
    )
    make_finding()

    assert refs(program.get("/findings", **asked)) == [wanted.ref]


def test_takes_the_same_queries_however_long(program, django_assert_num_queries):
    for _ in range(20):
        make_finding(assignee=program.user)
    program.get("/findings")

    with django_assert_num_queries(4):
        program.get("/findings", limit=20)


def test_only_readable_accounts_are_shown(another):
    mine, other = make_finding(), make_finding()
    reader = another(Role.VIEWER, account=mine.image.account)

    assert refs(reader.get("/findings")) == [mine.ref]
    assert reader.get(f"/findings/{other.ref}").status_code == 404


def test_an_idle_purchase_of_another_account_is_counted_and_not_named(another):
    image = make_image()
    mine = make_reserved_instance(account=image.account)
    other = make_reserved_instance()
    finding = make_finding(image=image, idle_purchases=[mine.aws_id, other.aws_id])

    found = another(Role.VIEWER, account=image.account).get(f"/findings/{finding.ref}").json()

    assert (found["idle_purchases"], found["idle_purchases_in_all"]) == ([mine.aws_id], 2)


def test_a_comment_is_told_newest_first(program):
    finding = make_finding()
    program.post(f"/findings/{finding.ref}/comment", {"text": "First."})

    found = program.post(f"/findings/{finding.ref}/comment", {"text": "<b>Second.</b>"}).json()

    assert [line["text"] for line in found["activity"]] == ["<b>Second.</b>", "First."]
    assert found["activity"][0]["by"] == "erin"


def test_it_is_assigned_and_given_back(program):
    finding = make_finding()
    make_user(Role.VIEWER, username="priya")

    taken = program.post(f"/findings/{finding.ref}/assign", {"person": "priya"}).json()
    given_back = program.post(f"/findings/{finding.ref}/assign", {"person": None}).json()

    assert (taken["assignee"], given_back["assignee"]) == ("priya", None)


def test_it_is_waived_until_a_day_and_reopened(program):
    finding = make_finding()
    body = {"owner": "erin", "reason": "Known.", "until": in_days(30)}

    waived = program.post(f"/findings/{finding.ref}/waive", body).json()
    reopened = program.post(f"/findings/{finding.ref}/reopen", {"reason": "No."}).json()

    assert waived["state"] == "waived"
    assert (waived["waiver"]["owner"], waived["waiver"]["reason"]) == ("erin", "Known.")
    assert waived["waiver"]["until"].startswith(f"{in_days(30)}T00:00:00")
    assert (reopened["state"], reopened["waiver"]) == ("open", None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"reason": " "}, "reason", id="no reason"),
        pytest.param({"owner": "nobody"}, "owner", id="nobody"),
        pytest.param({"until": "soon"}, "until", id="no day"),
        pytest.param({"until": "2020-01-01"}, "until", id="past"),
        pytest.param({"until": MIDNIGHT}, "until", id="seconds since 1970"),
        pytest.param({"until": "2999-01-01"}, "until", id="too long"),
        pytest.param({"why": "x"}, "why", id="unknown"),
    ],
)
def test_a_waiver_that_is_not_whole_is_refused_by_field(program, changed, field):
    finding = make_finding()
    body = {"owner": "erin", "reason": "Known.", "until": in_days(30)} | changed

    answer = program.post(f"/findings/{finding.ref}/waive", body)

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {field}
    assert Finding.objects.get().state == "open"


def test_an_owner_who_may_not_read_the_account_is_refused(program):
    finding = make_finding()
    make_user(Role.ADMIN, username="zoe", account=make_account())
    body = {"owner": "zoe", "reason": "Known.", "until": in_days(30)}

    answer = program.post(f"/findings/{finding.ref}/waive", body)

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"owner"}


@pytest.mark.parametrize("day", ["soon", "2027-02-30", 20270131, MIDNIGHT, True])
def test_how_a_day_is_written_is_said(program, day):
    body = {"owner": "erin", "reason": "Known.", "until": day}

    answer = program.post(f"/findings/{make_finding().ref}/waive", body)

    assert answer.json()["problems"] == {"until": "Write a day, such as 2027-01-31."}


def test_nobody_is_told_who_reads_other_accounts(another):
    finding = make_finding()
    make_user(Role.VIEWER, username="zoe", account=make_account())
    program = another(Role.ENGINEER, account=finding.image.account)

    answers = [
        program.post(f"/findings/{finding.ref}/assign", {"person": name}).json()["problems"]
        for name in ("zoe", "nobody")
    ]

    assert str(answers[0]).replace("zoe", "nobody") == str(answers[1])


def test_what_is_too_late_is_said(program):
    finding = make_finding(state="resolved", resolved_at=LATER)

    answer = program.post(f"/findings/{finding.ref}/start")

    assert answer.status_code == 409
    assert "resolved" in answer.json()["detail"]


def test_it_is_watched_and_no_longer(program):
    finding = make_finding()

    assert program.post(f"/findings/{finding.ref}/watch").json()["is_watched"]
    assert not program.post(f"/findings/{finding.ref}/watch", {"watch": False}).json()["is_watched"]


def test_all_that_a_filter_leaves_are_triaged(program):
    wanted = [make_finding(rule="AMI003") for _ in range(2)]
    done = make_finding(rule="AMI003", assignee=program.user)
    make_finding()
    body = {"action": "assign", "filter": {"rule": "AMI003"}, "person": "erin"}

    answer = program.post("/findings/triage", body)
    run_triage(Run.objects.get().pk)
    found = program.get(f"/findings/triage/{answer.json()['ref']}").json()

    assert answer.status_code == 201
    assert found["state"] == "succeeded"
    assert found["counts"] == {"pending": 0, "done": 2, "left": 1}
    assert {row["ref"] for row in found["findings"]["items"]} == {
        finding.ref for finding in [*wanted, done]
    }
    assert "assigned already" in found["findings"]["items"][2]["note"]


def test_a_ledger_is_told_by_what_became_of_them(program):
    make_finding()
    left = make_finding(assignee=program.user)
    body = {"action": "assign", "filter": {}, "person": "erin"}
    ref = program.post("/findings/triage", body).json()["ref"]
    run_triage(Run.objects.get().pk)

    found = program.get(f"/findings/triage/{ref}", state="left").json()["findings"]

    assert [row["ref"] for row in found["items"]] == [left.ref]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "findings", id="neither"),
        pytest.param({"findings": ["F-0001"], "filter": {}}, "findings", id="both"),
        pytest.param({"findings": ["F-99999"]}, "findings", id="unknown"),
        pytest.param({"findings": []}, "findings", id="none"),
        pytest.param({"filter": {"sevrity": "low"}}, "filter.sevrity", id="unknown filter"),
        pytest.param({"filter": {"q": "\0"}}, "filter.q", id="nul"),
        pytest.param({"filter": {}, "action": "resolve"}, "action", id="by hand"),
        pytest.param({"filter": {}, "text": ""}, "text", id="no comment"),
    ],
)
def test_a_triage_that_makes_no_sense_is_refused(program, body, field):
    make_finding()

    answer = program.post("/findings/triage", {"action": "comment", "text": "Seen.", **body})

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {field}
    assert not Run.objects.exists()


def test_the_same_key_twice_is_the_same_triage_also_if_the_filter_leaves_others_by_now(program):
    make_finding()
    body = {"action": "start", "filter": {"state": "open"}}
    first = program.post("/findings/triage", body, **IDEMPOTENT)
    run_triage(Run.objects.get().pk)
    make_finding()

    second = program.post("/findings/triage", body, **IDEMPOTENT)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["ref"] == first.json()["ref"]
    assert second.json()["counts"] == {"pending": 0, "done": 1, "left": 0}
    assert Run.objects.count() == 1


def test_the_key_of_a_triage_may_stand_in_the_body_and_findings_in_any_order(program):
    refs = [make_finding().ref, make_finding().ref]
    body = {"action": "comment", "text": " Seen. ", "key": KEY}

    first = program.post("/findings/triage", {**body, "findings": refs})
    second = program.post("/findings/triage", {**body, "findings": refs[::-1]})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["text"] == "Seen."


@pytest.mark.parametrize(
    "other",
    [
        {"action": "start"},
        {"text": "Other words."},
        {"filter": {"severity": "high"}},
        {"filter": None, "findings": ["F-1"]},
        {"until": "2027-01-31"},
    ],
)
def test_a_key_of_another_triage_is_refused(program, other):
    make_finding()
    body = {"action": "comment", "filter": {}, "text": "Seen."}
    program.post("/findings/triage", body, **IDEMPOTENT)

    answer = program.post("/findings/triage", body | other, **IDEMPOTENT)

    assert answer.status_code == 409
    assert KEY in answer.json()["detail"]
    assert Run.objects.count() == 1


def test_without_a_key_each_triage_is_a_new_one(program):
    make_finding()
    body = {"action": "comment", "filter": {}, "text": "Seen."}

    refs = {program.post("/findings/triage", body).json()["ref"] for _ in range(2)}

    assert len(refs) == 2


def test_the_key_of_another_person_finds_none_of_their_triages(program, another):
    make_finding()
    body = {"action": "comment", "filter": {}, "text": "Seen."}
    mine = program.post("/findings/triage", body, **IDEMPOTENT).json()["ref"]

    theirs = another(Role.ENGINEER).post("/findings/triage", body, **IDEMPOTENT)

    assert theirs.status_code == 201
    assert theirs.json()["ref"] != mine


@pytest.mark.parametrize(
    "header", [pytest.param("again", id="no UUID"), pytest.param(OTHER_KEY, id="two keys")]
)
def test_a_key_of_a_triage_that_makes_no_sense_is_refused(program, header):
    make_finding()
    body = {"action": "comment", "filter": {}, "text": "Seen.", "key": KEY}

    answer = program.post("/findings/triage", body, **{"Idempotency-Key": header})

    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_nobody_else_reads_a_triage(program, another):
    make_finding()
    body = {"action": "comment", "filter": {}, "text": "Seen."}
    ref = program.post("/findings/triage", body).json()["ref"]

    assert another(Role.ADMIN).get(f"/findings/triage/{ref}").status_code == 404


@pytest.mark.parametrize("ref", ["F-0", "F-x", "F-²", "F-" + "9" * 5_000, "J-1"])
def test_a_finding_that_is_not_there(program, ref):
    assert program.get(f"/findings/{ref}").status_code == 404
    assert program.get(f"/findings/triage/{ref}").status_code == 404


def test_a_wrong_code_tells_what_it_changes_at_list_price(another):
    image = make_image(verdict="lost", expected_usage_operation="RunInstances:0010")
    found = make_finding(image=image)
    make_instance(image_id=image.aws_id, account=image.account)
    make_instance(image_id=image.aws_id)  # of an account that the person may not read
    program = another(Role.VIEWER, account=image.account)
    assert program.get(f"/findings/{found.ref}").json()["list_prices"] is None
    make_list_price(hourly=Decimal("0.0960"))
    make_list_price(usage_operation="RunInstances:0010", hourly=Decimal("0.1536"))

    assert program.get(f"/findings/{found.ref}").json()["list_prices"] == {
        "currency": "USD",
        "read_at": "2026-11-24T12:00:00Z",
        "now": "0.096",
        "should_be": "0.1536",
        "difference": "0.0576",
        "instances": 1,
        "instances_unknown": 0,
        "instances_at_other_prices": 0,
        "lines": [
            {
                "instance_type": "m5.large",
                "tenancy": "default",
                "usage_operation": "RunInstances",
                "instances": 1,
                "now": "0.096",
                "should_be": "0.1536",
                "problems": [],
            }
        ],
    }


def test_a_list_price_that_is_not_known_is_null(program):
    image = make_image(verdict="lost", expected_usage_operation="RunInstances:0010")
    found = make_finding(image=image)
    make_instance(image_id=image.aws_id)
    make_list_price()

    told = program.get(f"/findings/{found.ref}").json()["list_prices"]

    assert (told["now"], told["should_be"], told["difference"]) == ("0.1", None, None)
    assert told["instances_unknown"] == 1
    assert told["lines"][0]["problems"] == ["It was not read yet."]
