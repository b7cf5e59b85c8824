import csv
import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from sandbox.aws.bill import report
from sandbox.aws.ran import STRANGE
from tests.sandbox.aws.things import put_image, put_instance, put_reserved

NOW = datetime(2026, 11, 11, 6, 30, tzinfo=UTC)
NOVEMBER, OCTOBER = "cur/northwind/20261101-20261201", "cur/northwind/20261001-20261101"
OLD: dict[str, Any] = {
    "LaunchTime": "2026-05-05T05:05:05.000Z",
    "UsageOperationUpdateTime": "2026-05-05T05:05:05.000Z",
}


@pytest.fixture(autouse=True)
def _now(aws, monkeypatch):
    monkeypatch.setattr(aws.state, "_clock", lambda: NOW)


def buy(aws, count=1, **members):
    return put_reserved(
        aws, InstanceTenancy="default", Duration=31_536_000, InstanceCount=count, **members
    )


def files_of(aws):
    return {key: file.content for key, file in report(aws.state).items()}


def november(aws):
    """Return the lines that the manifest of the month names, without the stranger's."""
    files = files_of(aws)
    manifest = json.loads(files[f"{NOVEMBER}/northwind-Manifest.json"])
    lines: list[dict[str, Any]] = []
    for key in manifest["reportKeys"]:
        lines += csv.DictReader(gzip.decompress(files[key]).decode().splitlines())
    return [line for line in lines if STRANGE not in line["reservation/ReservationARN"]]


def hours_of(lines):
    found: dict[tuple[str, str], float] = defaultdict(float)
    for line in lines:
        name = (line["lineItem/LineItemType"], line["lineItem/Operation"])
        found[name] += float(line["lineItem/UsageAmount"])
    return dict(found)


def test_a_machine_is_billed_from_its_launch_to_the_last_whole_hour(aws):
    put_instance(aws, LaunchTime="2026-11-10T08:40:00.000Z")

    (line,) = november(aws)

    assert line["lineItem/UsageStartDate"] == "2026-11-10T08:00:00Z"
    assert line["lineItem/UsageEndDate"] == "2026-11-11T06:00:00Z"
    assert (line["lineItem/UsageType"], line["lineItem/UsageAmount"]) == (
        "EU-BoxUsage:m5.large",
        "22.0000000000",
    )


def test_what_is_stopped_is_not_billed(aws):
    put_instance(aws, State={"Code": 80, "Name": "stopped"}, **OLD)

    assert november(aws) == []


def test_a_purchase_pays_and_tells_what_nobody_used(aws):
    put_instance(aws, **OLD)
    buy(aws, count=3)

    lines = november(aws)

    assert hours_of(lines) == {
        ("DiscountedUsage", "RunInstances"): 246,
        ("RIFee", "RunInstances"): 3 * 246,
    }
    assert float(lines[-1]["reservation/UnusedQuantity"]) == 2 * 246
    assert float(lines[-1]["reservation/UnusedRecurringFee"]) == pytest.approx(2 * 246 * 0.05)


def test_what_is_paid_for_in_part_is_two_lines(aws):
    put_instance(aws, InstanceType="m5.xlarge", **OLD)
    buy(aws)

    assert hours_of(november(aws)) == {
        ("DiscountedUsage", "RunInstances"): 123,
        ("Usage", "RunInstances"): 123,
        ("RIFee", "RunInstances"): 246,
    }


def test_spot_and_byol_have_operations_of_their_own(aws):
    put_instance(aws, "RunInstances:0010", InstanceLifecycle="spot", **OLD)
    put_instance(aws, "RunInstances:00g0", **OLD)

    assert hours_of(november(aws)).keys() == {
        ("Usage", "RunInstances:0010:SV002"),
        ("Usage", "RunInstances"),
    }


def test_a_converted_machine_has_the_code_of_its_image_before(aws):
    image_id = put_image(aws)
    changed = OLD | {"UsageOperationUpdateTime": "2026-11-06T00:10:00.000Z"}
    put_instance(aws, "RunInstances:0g00", ImageId=image_id, **changed)

    assert hours_of(november(aws)) == {
        ("Usage", "RunInstances"): 120,
        ("Usage", "RunInstances:0g00"): 126,
    }


def test_a_purchase_pays_for_a_converted_machine_from_its_conversion_on(aws):
    changed = OLD | {"UsageOperationUpdateTime": "2026-11-06T00:10:00.000Z"}
    put_instance(aws, "RunInstances:0010", ImageId=put_image(aws), **changed)
    buy(aws, ProductDescription="Red Hat Enterprise Linux")

    assert hours_of(november(aws)) == {
        ("Usage", "RunInstances"): 120,
        ("DiscountedUsage", "RunInstances:0010"): 126,
        ("RIFee", "RunInstances"): 246,
    }


def test_an_older_assembly_lies_beside_the_one_that_counts(aws):
    put_instance(aws, **OLD)
    files = files_of(aws)

    manifest = json.loads(files[f"{NOVEMBER}/northwind-Manifest.json"])

    written = {key for key in files if key.startswith(NOVEMBER) and key.endswith(".csv.gz")}
    assert len(written) == 3
    assert len(written - set(manifest["reportKeys"])) == 1
    assert manifest["bucket"] == "northwind-bills"


def test_last_month_is_whole_and_in_parquet(aws, tmp_path):
    put_instance(aws, **OLD)
    files = files_of(aws)
    (key,) = json.loads(files[f"{OCTOBER}/northwind-Manifest.json"])["reportKeys"]
    (tmp_path / "a.parquet").write_bytes(files[key])

    table = duckdb.read_parquet(str(tmp_path / "a.parquet"))

    kinds = dict(zip(table.columns, map(str, table.types), strict=True))
    assert kinds["line_item_usage_amount"] == "DOUBLE"
    assert kinds["line_item_usage_start_date"] == "TIMESTAMP"
    rows = table.filter("line_item_line_item_type = 'Usage'").project("line_item_usage_amount")
    assert rows.fetchall() == [(744.0,)]


def test_a_bill_can_be_empty(aws):
    assert november(aws) == []
