import csv
import io

import pytest
from django.urls import reverse

from tests.factories import make_reserved_instance

pytestmark = pytest.mark.django_db
CAUSES = [
    {"code": "wrong_platform", "instance_ids": ["i-1"]},
    {"code": "over_bought", "instance_ids": []},
]


def exported(client, **query):
    answer = client.get(reverse("reserved-instances:list"), {"export": "csv", **query})
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode(), newline="")))


@pytest.mark.parametrize(
    ("used", "idle", "numbers"),
    [
        pytest.param("1", "0", ("1.0", "0.0"), id="whole"),
        pytest.param("1/2", "3/2", ("0.5", "1.5"), id="fractions"),
        pytest.param("", "", ("", ""), id="not judged yet"),
    ],
)
def test_units_are_exported_as_numbers(signed_in, used, idle, numbers):
    make_reserved_instance(used=used, idle=idle)

    (row,) = exported(signed_in, view="all")

    assert (row["Used"], row["Idle"]) == numbers


def test_causes_are_exported_in_their_order(signed_in):
    make_reserved_instance(reasons=CAUSES)

    (row,) = exported(signed_in, view="all")

    assert row["Causes"] == "wrong_platform, over_bought"


def test_what_has_no_cause_exports_none(signed_in):
    make_reserved_instance()

    (row,) = exported(signed_in, view="all")

    assert row["Causes"] == ""
