from datetime import timedelta

import pytest

from registry.audit.proposals import keep
from registry.models import Role
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db


def ids(answer):
    return [instance["id"] for instance in answer.json()["items"]]


def covered(*shares, **fields):
    """A running instance for which a purchase pays each of the shares."""
    instance = make_instance(**fields)
    for share in shares:
        bought = make_reserved_instance(account=instance.account)
        make_cover(reserved_instance=bought, instance=instance, share=share)
    return instance


def test_shows_what_aws_says_and_how_far_it_is_paid_for(program):
    instance = covered("1/3", "1/2", name="web", image_id="ami-1", lifecycle="spot")
    finding = make_finding(instance=instance, rule="INS001", title="Its image has gone")
    make_finding(instance=instance, rule="INS002", resolved_at=LATER, state="resolved")

    (found,) = program.get("/instances").json()["items"]

    assert (found["id"], found["account"]) == (instance.aws_id, instance.account.number)
    assert (found["instance_type"], found["image_id"]) == ("m5.large", "ami-1")
    assert (found["usage_operation"], found["platform_details"]) == ("RunInstances", "Linux/UNIX")
    assert (found["state"], found["lifecycle"]) == ("running", "spot")
    assert found["covered"] == 5 / 6
    assert found["findings"] == [
        {"ref": finding.ref, "rule": "INS001", "title": "Its image has gone"}
    ]
    assert found["url"] == f"http://testserver/instances/{instance.aws_id}/"


def test_a_code_that_was_never_recorded_is_null_and_one_left_empty_is_not(program):
    make_instance(aws_id="i-1", usage_operation=None, platform_details=None)
    make_instance(aws_id="i-2", usage_operation="", platform_details="")

    found = program.get("/instances").json()["items"]

    assert [each["usage_operation"] for each in found] == [None, ""]
    assert [each["platform_details"] for each in found] == [None, ""]


def test_of_what_does_not_run_nothing_is_to_be_paid(program):
    make_instance(state="stopped")

    (found,) = program.get("/instances").json()["items"]

    assert found["covered"] is None


@pytest.mark.parametrize(
    ("audited", "covered"), [(None, None), (NOON, 0), (NOON - timedelta(hours=1), None)]
)
def test_before_an_audit_has_looked_it_is_not_known_how_far_it_is_paid_for(
    program, audited, covered
):
    instance = make_instance(first_seen_at=NOON)
    if audited:
        keep([], at=audited)

    answer = program.get("/instances")

    assert [each["covered"] for each in answer.json()["items"]] == [covered]
    paid = [] if covered is None else [instance.aws_id]
    assert ids(program.get("/instances", covered="no")) == paid


def test_leaves_out_what_is_gone(program):
    make_instance(gone_at=LATER)

    assert program.get("/instances").json()["count"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"account": "111122223333"}, id="account"),
        pytest.param({"region": "us-east-1"}, id="region"),
        pytest.param({"state": "stopped"}, id="state"),
        pytest.param({"image": "ami-1"}, id="image"),
        pytest.param({"q": " golden "}, id="words"),
    ],
)
def test_is_narrowed(program, asked):
    wanted = make_instance(
        account=make_account(number="111122223333"),
        region="us-east-1",
        state="stopped",
        image_id="ami-1",
        name="golden-1",
    )
    make_instance()

    assert ids(program.get("/instances", **asked)) == [wanted.aws_id]


def test_is_narrowed_to_what_is_paid_for_as_a_whole_in_part_or_not_at_all(program):
    whole, thirds = covered("1"), covered("1/3", "1/3", "1/3")
    part, nothing = covered("1/3", "1/3"), covered()
    keep([], at=LATER)
    make_instance(state="stopped")

    def found(how):
        return set(ids(program.get("/instances", covered=how)))

    assert found("yes") == {whole.aws_id, thirds.aws_id}
    assert found("part") == {part.aws_id}
    assert found("no") == {nothing.aws_id}


def test_is_turned_page_by_page(program):
    for number in range(3):
        make_instance(aws_id=f"i-{number}")

    answer = program.get("/instances", limit=2, offset=2)

    assert ids(answer) == ["i-2"]
    assert answer.json()["count"] == 3


@pytest.mark.parametrize("asked", [{"covered": "half"}, {"platform": "Windows"}])
def test_what_it_does_not_know_is_refused(program, asked):
    answer = program.get("/instances", **asked)

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == asked.keys()


def test_only_readable_accounts_are_shown(another):
    mine, other = make_instance(), make_instance()
    reader = another(Role.VIEWER, account=mine.account)

    assert ids(reader.get("/instances")) == [mine.aws_id]
    assert reader.get(f"/instances/{other.aws_id}").status_code == 404


def test_one_instance_comes_with_the_purchases_that_one_may_read(another):
    instance = covered("1/4", tags={"team": "erp"})
    foreign = make_reserved_instance()
    make_cover(reserved_instance=foreign, instance=instance, share="1/2")
    reader = another(Role.VIEWER, account=instance.account)

    answer = reader.get(f"/instances/{instance.aws_id}")

    found = answer.json()
    own = instance.covers.get(share="1/4").reserved_instance
    assert found["covers"] == [{"purchase": own.aws_id, "fraction": 0.25}]
    assert (found["covers_in_all"], found["covered"]) == (2, 0.75)
    assert (found["availability_zone_id"], found["tags"]) == ("euw1-az1", {"team": "erp"})
    assert foreign.aws_id not in answer.content.decode()


def test_what_is_gone_is_shown_where_it_is_asked_for(program):
    gone = make_instance(gone_at=LATER)
    keep([], at=LATER)

    found = program.get(f"/instances/{gone.aws_id}").json()

    assert (found["gone_at"], found["covered"]) == ("2026-11-24T13:00:00Z", None)


def test_of_two_rows_the_present_one_is_shown(program):
    present = make_instance(aws_id="i-1")
    make_instance(aws_id="i-1", gone_at=LATER)

    assert program.get("/instances/i-1").json()["account"] == present.account.number


def test_what_there_is_not_is_not_found(program):
    assert program.get("/instances/i-1").status_code == 404


def test_takes_the_same_queries_however_long(program, django_assert_num_queries):
    for _ in range(20):
        instance = covered("1/2", "1/2")
        make_finding(instance=instance, rule="INS001")
    program.get("/instances")

    with django_assert_num_queries(7):
        program.get("/instances", limit=20)
