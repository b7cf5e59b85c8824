import csv
import io

import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import (
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_run,
    make_user,
)

LISTS = {
    "images:list": make_image,
    "instances:list": make_instance,
    "findings:list": make_finding,
    "reserved-instances:list": lambda: make_reserved_instance(idle="1", used="0"),
    "jobs:list": lambda: make_run(state="succeeded", finished_at="2026-11-24T12:30Z"),
}
EVERY_LIST = [pytest.param(name, make, id=name) for name, make in LISTS.items()]


def names(answer):
    return [str(row) for row in answer.context["rows"]]


@pytest.mark.parametrize(("name", "make"), EVERY_LIST)
def test_takes_the_same_queries_however_long_the_page(
    signed_in, django_assert_max_num_queries, name, make
):
    for _ in range(40):
        make()
    signed_in.get(reverse(name))

    with django_assert_max_num_queries(34) as few:
        signed_in.get(reverse(name))
    with django_assert_max_num_queries(len(few)):
        signed_in.get(reverse(name), {"rows": "50"})


@pytest.mark.parametrize(("name", "make"), EVERY_LIST)
def test_an_empty_list_says_so(signed_in, name, make):
    answer = signed_in.get(reverse(name))

    assert answer.status_code == 200
    assert b"empty" in answer.content


@pytest.mark.parametrize("page", ["0", "-1", "2", "99999999999999999999", "x", ""])
def test_a_page_that_is_not_there_is_the_last_one(signed_in, page):
    make_image()

    answer = signed_in.get(reverse("images:list"), {"page": page})

    assert answer.status_code == 200
    assert len(answer.context["rows"]) == 1


@pytest.mark.parametrize("rows", ["7", "-25", "1000000", "abc"])
def test_nobody_chooses_a_page_size_of_his_own(signed_in, rows):
    answer = signed_in.get(reverse("images:list"), {"rows": rows})

    assert answer.context["page_obj"].paginator.per_page == 25


@pytest.mark.parametrize("sort", ["password", "account__grants", "-", "name;drop", "--name"])
def test_sorts_by_its_own_columns_only(signed_in, sort):
    answer = signed_in.get(reverse("images:list"), {"sort": sort})

    assert answer.status_code == 200
    assert answer.context["sort"] == "billing"


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        pytest.param("name", ["a", "b", "c"], id="up"),
        pytest.param("-name", ["c", "b", "a"], id="down"),
    ],
)
def test_sorts(signed_in, sort, order):
    for name in ("b", "c", "a"):
        make_image(name=name)

    answer = signed_in.get(reverse("images:list"), {"sort": sort})

    assert names(answer) == order


def test_the_urgent_comes_first(signed_in):
    for verdict in ("ok", "unknown", "partial", "lost", "excused", "unexpected", "wrong"):
        make_image(name=verdict, verdict=verdict)

    answer = signed_in.get(reverse("images:list"))

    assert names(answer) == ["lost", "wrong", "partial", "unexpected", "unknown", "excused", "ok"]


@pytest.mark.parametrize(
    "words", ["needle", "NEEDLE", "ami-0needle", "prod-team"], ids=["name", "case", "id", "tag"]
)
def test_finds_by_name_id_and_tag(signed_in, words):
    make_image(name="has a needle", aws_id="ami-0needle1", tags={"team": "prod-team"})
    make_image(name="hay")

    answer = signed_in.get(reverse("images:list"), {"q": words})

    assert names(answer) == ["has a needle"]


@pytest.mark.parametrize("words", ["%", "_", "\\", "'", '"', "\u202e", "🐘"])
def test_takes_every_letter_for_a_letter(signed_in, words):
    make_image(name="plain")

    answer = signed_in.get(reverse("images:list"), {"q": words})

    assert answer.status_code == 200
    assert names(answer) == []


def test_a_nul_is_no_error(signed_in):
    answer = signed_in.get(reverse("images:list") + "?q=%00")

    assert answer.status_code == 200


def test_values_of_one_field_combine_with_or_and_fields_with_and(signed_in):
    account = make_account()
    make_image(name="lost here", verdict="lost", account=account)
    make_image(name="wrong here", verdict="wrong", account=account)
    make_image(name="ok here", verdict="ok", account=account)
    make_image(name="lost there", verdict="lost")

    answer = signed_in.get(
        reverse("images:list"), {"billing": ["lost", "wrong"], "account": account.number}
    )

    assert names(answer) == ["lost here", "wrong here"]


def test_what_is_no_value_of_a_filter_is_ignored_and_named(signed_in):
    make_image(name="seen")

    answer = signed_in.get(reverse("images:list"), {"billing": "nonsense"})

    assert names(answer) == ["seen"]
    assert b"Ignored what is no value of a filter: billing" in answer.content


def test_names_each_filter_and_how_to_leave_it_out(signed_in):
    make_image(verdict="lost", region="eu-west-1")

    answer = signed_in.get(
        reverse("images:list"), {"billing": "lost", "q": "web", "page": "3", "sort": "name"}
    )

    assert answer.context["chips"] == [
        {"label": "Billing", "text": "Code lost", "without": "q=web&sort=name"},
        {"label": "Text", "text": "web", "without": "billing=lost&sort=name"},
    ]


def test_what_is_gone_is_no_longer_listed(signed_in):
    make_image(gone_at="2026-11-24T13:00Z")

    answer = signed_in.get(reverse("images:list"))

    assert names(answer) == []


def test_a_hostile_name_stays_text(signed_in):
    make_image(name="<script>alert(1)</script>", tags={"<b>": "<img src=x onerror=alert(1)>"})

    answer = signed_in.get(reverse("images:list"))

    assert b"<script>alert" not in answer.content
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in answer.content


def test_exports_what_is_filtered_in_its_order(signed_in):
    make_image(name="b-lost", verdict="lost")
    make_image(name="a-lost", verdict="lost")
    make_image(name="ok", verdict="ok")

    answer = signed_in.get(
        reverse("images:list"), {"billing": "lost", "sort": "name", "export": "csv"}
    )

    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [row["Name"] for row in rows] == ["a-lost", "b-lost"]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_takes_an_exported_name_for_a_formula(signed_in, name):
    make_image(name=name)

    answer = signed_in.get(reverse("images:list"), {"export": "csv"})

    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode(), newline=""))
    assert row["Name"] == f"'{name}"


@pytest.mark.parametrize(("name", "make"), EVERY_LIST)
def test_exports_every_list(signed_in, name, make):
    make()

    answer = signed_in.get(reverse(name), {"export": "csv"})

    assert answer.getvalue().decode().count("\r\n") == 2


def test_an_export_holds_only_what_the_person_may_read(client, db):
    mine, _other = make_image(name="mine"), make_image(name="other")
    client.force_login(make_user(Role.VIEWER, account=mine.account))

    answer = client.get(reverse("images:list"), {"export": "csv"})

    assert b"mine" in answer.getvalue()
    assert b"other" not in answer.getvalue()
