import signal
import zipfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.sync.bills import BillProblem, Interrupted
from registry.sync.bills.lines import Lines
from tests.sync.bills.reports import reserved, usage, write_csv, write_parquet

AMOUNTS = st.decimals("0", "744", places=10).map(str)
LINES = st.builds(
    lambda make, **fields: make(**fields),
    st.sampled_from((usage, reserved)),
    UsageAccountId=st.sampled_from(("000000000001", "999999999999")),
    ResourceId=st.sampled_from(("i-00000000000000001", "i-00000000000000002")),
    Operation=st.sampled_from(("RunInstances", "RunInstances:0010", "CreateVolume")),
    UsageType=st.sampled_from(("BoxUsage:m5.large", "BoxUsage:m5.xlarge", "EBS:VolumeUsage")),
    UsageAmount=AMOUNTS,
)


def added_by_hand(lines):
    """Add what is about instances up, one line after the other."""
    found: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for line in lines:
        kind = line["lineItem/UsageType"]
        operation = line["lineItem/Operation"]
        if kind.startswith("BoxUsage") and operation.startswith("RunInstances"):
            key = (
                line["lineItem/LineItemType"],
                line["lineItem/UsageAccountId"],
                line["lineItem/ResourceId"],
                kind.partition(":")[2],
                operation,
            )
            found[key] += Decimal(line["lineItem/UsageAmount"])
    return dict(found)


def added(paths):
    names = {"on_demand": "Usage", "reserved": "DiscountedUsage"}
    with Lines(str(paths[0].parent)) as table:
        for path in paths:
            table.add(path, path.name)
        return {
            (names[kind], account, resource, instance_type, operation): hours
            for kind, account, _, resource, instance_type, operation, _, hours, *_ in table.usage()
        }


@given(st.lists(LINES, max_size=30), st.integers(0, 30))
@settings(max_examples=10)
def test_any_lines_add_up_as_by_hand_in_any_format_and_files(lines, cut):
    with TemporaryDirectory() as name:
        folder = Path(name)
        split = [
            write_csv(folder / "a.csv", lines[:cut]),
            write_csv(folder / "b.csv.gz", lines[cut:]),
        ]
        packed = [write_parquet(folder / "c.parquet", lines)]

        assert added(split) == added(packed) == added_by_hand(lines)


@pytest.mark.parametrize("path", ["/etc/passwd", "https://example.com/x.csv", "s3://bucket/x"])
def test_nothing_but_the_files_of_the_report_is_reachable(tmp_path, path):
    with Lines(str(tmp_path)) as table, pytest.raises(duckdb.PermissionException):
        table._base.execute("SELECT * FROM read_csv(?)", [path])


def test_the_workshop_goes_with_the_table(tmp_path):
    with Lines(str(tmp_path)) as table:
        workshop = table.workshop
        assert workshop.is_dir()

    assert not workshop.exists()


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "a?.csv", "[a]/x.csv", "a[1].csv.zip"])
def test_signs_in_a_name_are_no_pattern(tmp_path, name):
    write_csv(tmp_path / "a1.csv", [usage(UsageAmount="5")])
    write_csv(tmp_path / "a" / "x.csv", [usage(UsageAmount="5")])

    found = added([write_csv(tmp_path / name, [usage(UsageAmount="7")])])

    assert list(found.values()) == [7]


def test_a_folder_called_like_a_column_is_no_value_of_it(tmp_path):
    path = tmp_path / "line_item_operation=RunInstances:0002" / "a.parquet"

    ((_, _, _, _, operation),) = added([write_parquet(path, [usage()])])

    assert operation == "RunInstances"


def test_a_reading_that_takes_too_long_is_not_taken_for_trouble_with_the_file(tmp_path):
    class Late(Exception):
        pass

    def stop(*_):
        raise Late

    def add_for_ever(table, path):
        while True:
            table.add(path, path.name)

    path = write_parquet(tmp_path / "a.parquet", [usage()] * 3_000)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        with Lines(str(tmp_path)) as table:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises((Interrupted, Late)):
                add_for_ever(table, path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_archive_that_is_larger_than_the_disk_is_not_unpacked(tmp_path):
    path = tmp_path / "a.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a")
        archive.filelist[0].file_size = 2**50

    with Lines(str(tmp_path)) as table, pytest.raises(BillProblem, match="no room"):
        table.add(path, path.name)
