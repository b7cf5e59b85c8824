import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.reports.render import COLUMNS, cell, findings_csv, lines


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_result_is_a_table_with_a_heading():
    result = {"findings": [{"ref": "F-0001", "severity": "high", "per_month": "12.50"}]}

    heading, row = read(findings_csv(result))

    assert tuple(heading) == COLUMNS
    assert dict(zip(heading, row, strict=True))["ref"] == "F-0001"
    assert dict(zip(heading, row, strict=True))["per_month"] == "12.50"


def test_a_result_without_findings_is_a_heading():
    assert read(findings_csv({"findings": []})) == [list(COLUMNS)]


@pytest.mark.parametrize(("amount", "text"), [("-0.05", "-0.05"), ("0E-8", "0.00000000")])
def test_an_amount_is_a_number_also_below_0(amount, text):
    assert cell(Decimal(amount)) == text


def test_units_are_a_number_also_below_0():
    assert cell(-0.5) == "-0.5"


def test_what_is_unknown_is_an_empty_cell():
    assert cell(None) == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('=cmd|"/c calc"!A1', id="equals"),
        pytest.param("+1", id="plus"),
        pytest.param("-1", id="minus"),
        pytest.param("@SUM(A1)", id="at"),
        pytest.param("\t=1", id="tab"),
        pytest.param("\r=1", id="return"),
        pytest.param("\n=1", id="line end"),
        pytest.param("  =1", id="after spaces"),
        pytest.param("\uff1d1", id="equals in full width"),
        pytest.param("\uff0b1", id="plus in full width"),
        pytest.param("\uff0d1", id="minus in full width"),
        pytest.param("\uff20SUM", id="at in full width"),
    ],
)
def test_a_cell_is_no_formula(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["web-1", "a=b", "ami-1", "", "O'Hara", "12.50"])
def test_a_harmless_cell_is_left_as_it_is(text):
    assert cell(text) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_whatever_is_in_a_cell_is_read_back_and_is_no_formula(texts):
    columns = [f"column-{number}" for number in range(len(texts))]

    _, row = read("".join(lines(columns, [dict(zip(columns, texts, strict=True))])))

    assert [found.removeprefix("'") for found in row] == [t.removeprefix("'") for t in texts]
    assert not any(found.lstrip(" ")[:1] in set("=+-@\t") for found in row if found.strip())
