import pytest

from registry.billing.codes import TABLE, reserved_platform
from sandbox.aws.billing import PLATFORM_DETAILS, code, code_of, code_of_snapshot
from sandbox.aws.purchases import PLATFORMS


def test_the_simulated_and_the_real_table_agree():
    assert {row.usage_operation: row.platform_details for row in TABLE} == PLATFORM_DETAILS


def test_purchases_of_the_simulated_company_pay_for_what_they_name():
    assert {
        row.usage_operation: reserved_platform(row.usage_operation)
        for row in TABLE
        if reserved_platform(row.usage_operation)
    } == PLATFORMS


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.usage_operation)
def test_windows_and_nothing_else_is_a_platform(row):
    is_windows = row.platform_details.startswith("Windows")

    assert code(row.usage_operation).get("Platform") == ("windows" if is_windows else None)


def test_a_code_passes_with_everything_that_belongs_to_it():
    members = {**code("RunInstances:0002"), "ProductCodes": [{"ProductCodeId": "x"}]}

    assert code_of({**members, "Name": "web"}) == members


@pytest.mark.parametrize(
    ("snapshot", "operation"),
    [
        pytest.param({"_billing": "RunInstances:0010"}, "RunInstances:0010", id="kept"),
        pytest.param({"_billing": None}, "RunInstances", id="lost"),
        pytest.param({}, "RunInstances", id="never had"),
        pytest.param({"_billing": ""}, "", id="left without any"),
    ],
)
def test_a_snapshot_gives_the_code_it_kept(snapshot, operation):
    assert code_of_snapshot(snapshot)["UsageOperation"] == operation
