from datetime import date

import pytest

from registry.sync.bills import BillProblem, Folder
from registry.sync.bills.deliveries import deliver, find
from tests.sync.bills.reports import months_of, write_manifest

NOVEMBER = date(2026, 11, 1)


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def delivered(folder):
    """Return the files that count, by month."""
    place = Folder(folder)
    found = find(place)
    return {
        month: [file.path for file in deliver(place, month, found).files] for month in found.months
    }


def version(folder):
    place = Folder(folder)
    return deliver(place, NOVEMBER, find(place)).version


def test_of_many_assemblies_the_one_that_the_manifest_names_counts(tmp_path):
    folder, key = months_of(tmp_path)
    for assembly in ("a1", "a2", "a3"):
        put(folder / assembly, "daily-00001.csv.gz", "daily-00002.csv.gz")
        keys = [f"{key}/{assembly}/daily-0000{number}.csv.gz" for number in (1, 2)]
        write_manifest(folder / assembly / "daily-Manifest.json", keys)
        if assembly == "a2":
            write_manifest(folder / "daily-Manifest.json", keys)

    found = "cur/daily/20261101-20261201/a2"
    assert delivered(tmp_path) == {
        NOVEMBER: [f"{found}/daily-00001.csv.gz", f"{found}/daily-00002.csv.gz"]
    }


@pytest.mark.parametrize("root", ["", "cur", "cur/daily", "cur/daily/20261101-20261201"])
def test_a_copy_may_begin_at_any_folder_of_the_bucket(tmp_path, root):
    folder, key = months_of(tmp_path)
    put(folder, "a1/daily-1.csv.gz", "a0/daily-1.csv.gz")
    write_manifest(folder / "daily-Manifest.json", [f"{key}/a1/daily-1.csv.gz"])

    ((month, files),) = delivered(tmp_path / root).items()

    assert month == NOVEMBER
    assert [file.rpartition("a1/")[2] for file in files] == ["daily-1.csv.gz"]


def test_a_copy_may_lie_deeper_than_the_bucket(tmp_path):
    folder, key = months_of(tmp_path / "from" / "bucket")
    put(folder, "a1/daily-1.csv.gz")
    write_manifest(folder / "daily-Manifest.json", [f"{key}/a1/daily-1.csv.gz"])

    assert len(delivered(tmp_path)[NOVEMBER]) == 1


def test_files_may_be_copied_beside_their_manifest_without_folders(tmp_path):
    put(tmp_path, "daily-1.csv.gz", "other.csv.gz")
    told = {"billingPeriod": {"start": "20261101T000000.000Z", "end": "20261201T000000.000Z"}}
    write_manifest(tmp_path / "daily-Manifest.json", ["cur/x/a1/daily-1.csv.gz"], **told)

    assert delivered(tmp_path) == {NOVEMBER: ["daily-1.csv.gz"]}


def test_the_layout_for_athena_is_read(tmp_path):
    put(
        tmp_path,
        "cur/daily/daily/year=2026/month=11/daily.snappy.parquet",
        "cur/daily/daily/year=2026/month=9/daily.snappy.parquet",
        "cur/daily/daily/cost_and_usage_data_status/cost_and_usage_data_status.parquet",
    )
    named = "cur/daily/daily/year=2026/month=11/daily.snappy.parquet"
    write_manifest(tmp_path / "cur/daily/20261101-20261201/daily-Manifest.json", [named])
    write_manifest(tmp_path / "cur/daily/daily/year=2026/month=11/daily-Manifest.json", [named])

    found = delivered(tmp_path)

    assert found[NOVEMBER] == [named]
    assert found[date(2026, 9, 1)] == ["cur/daily/daily/year=2026/month=9/daily.snappy.parquet"]
    assert len(found) == 2


@pytest.mark.parametrize("wrap", [str, lambda uri: {"s3Uri": uri}], ids=["texts", "objects"])
def test_a_data_export_is_read(tmp_path, wrap):
    put(tmp_path, "x/cur2/data/BILLING_PERIOD=2026-11/cur2-00001.csv.gz")
    write_manifest(
        tmp_path / "x/cur2/metadata/BILLING_PERIOD=2026-11/cur2-Manifest.json",
        [wrap("s3://bucket/x/cur2/data/BILLING_PERIOD=2026-11/cur2-00001.csv.gz")],
        "dataFiles",
    )

    assert delivered(tmp_path) == {
        NOVEMBER: ["x/cur2/data/BILLING_PERIOD=2026-11/cur2-00001.csv.gz"]
    }


def test_of_an_export_that_keeps_its_versions_the_newest_counts(tmp_path):
    for execution in ("2026-11-02T01-x", "2026-11-03T01-y"):
        data = f"cur2/data/BILLING_PERIOD=2026-11/{execution}/cur2-00001.csv.gz"
        put(tmp_path, data)
        write_manifest(
            tmp_path / f"cur2/metadata/BILLING_PERIOD=2026-11/{execution}/cur2-Manifest.json",
            [f"s3://bucket/{data}"],
            "dataFiles",
        )

    assert delivered(tmp_path) == {NOVEMBER: [data]}


def test_two_reports_of_a_month_are_refused(tmp_path):
    for name in ("daily", "hourly"):
        put(tmp_path, f"{name}/20261101-20261201/{name}-1.csv.gz")
        write_manifest(
            tmp_path / f"{name}/20261101-20261201/{name}-Manifest.json",
            [f"{name}/20261101-20261201/{name}-1.csv.gz"],
        )

    with pytest.raises(BillProblem, match=r"Several reports of 2026-11 .*daily.*, hourly"):
        delivered(tmp_path)


def test_without_a_manifest_the_files_of_one_folder_count(tmp_path):
    put(tmp_path, "a.csv", "b.parquet", "readme.txt")

    assert delivered(tmp_path) == {None: ["a.csv", "b.parquet"]}


def test_without_a_manifest_files_of_several_folders_are_refused(tmp_path):
    put(tmp_path, "20261101-20261201/a1/x.csv", "20261101-20261201/a2/x.csv")

    with pytest.raises(BillProblem, match=r"several folders: 20261101-20261201/a1, .*Name one"):
        delivered(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
        ("{}", "names no files"),
        ('{"reportKeys": "x"}', "names no files"),
        ('{"reportKeys": [null]}', "names None, which is not at"),
        ('{"reportKeys": ["cur/../../../etc/passwd"]}', "passwd, which is not at"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(tmp_path, text, words):
    folder, _ = months_of(tmp_path)
    put(folder, "daily-Manifest.json", "1.csv")
    (folder / "daily-Manifest.json").write_text(text)

    with pytest.raises(BillProblem, match=words):
        delivered(tmp_path)


@pytest.mark.parametrize("told", [{}, {"billingPeriod": {"start": "20261301T000000.000Z"}}])
def test_a_manifest_of_no_month_is_refused(tmp_path, told):
    write_manifest(tmp_path / "daily-Manifest.json", ["a.csv"], **told)

    with pytest.raises(BillProblem, match="names no billing period"):
        delivered(tmp_path)


def test_the_version_changes_with_every_file(tmp_path):
    folder, key = months_of(tmp_path)
    put(folder, "a1/1.csv", "a1/2.csv")
    write_manifest(folder / "daily-Manifest.json", [f"{key}/a1/1.csv", f"{key}/a1/2.csv"])
    before = version(tmp_path)

    assert version(tmp_path) == before
    (folder / "a1" / "2.csv").write_text("longer than before")
    assert version(tmp_path) != before


@pytest.mark.parametrize("manifests", [1, 2])
def test_a_copy_of_all_does_not_stand_for_what_a_manifest_names(tmp_path, manifests):
    key = "cur/daily/20261101-20261201"
    for root in ("", "old/")[:manifests]:
        write_manifest(tmp_path / root / key / "daily-Manifest.json", [f"{key}/a1/daily-1.csv.gz"])
    put(tmp_path, f"{key}/a1/daily-1.csv.gz", f"old/{key}/a1/daily-1.csv.gz")

    if manifests == 1:
        assert delivered(tmp_path) == {NOVEMBER: [f"{key}/a1/daily-1.csv.gz"]}
    else:
        with pytest.raises(BillProblem, match="Several reports of 2026-11"):
            delivered(tmp_path)


def test_two_names_in_a_manifest_are_not_one_file(tmp_path):
    put(tmp_path, "daily-1.csv.gz")
    told = {"billingPeriod": {"start": "20261101T000000.000Z"}}
    write_manifest(tmp_path / "x-Manifest.json", ["a1/daily-1.csv.gz", "a2/daily-1.csv.gz"], **told)

    with pytest.raises(BillProblem, match=r"names several files.*only daily-1\.csv\.gz"):
        delivered(tmp_path)


def test_a_name_that_a_manifest_repeats_is_one_file(tmp_path):
    folder, key = months_of(tmp_path)
    put(folder, "a1/daily-1.csv.gz")
    write_manifest(folder / "daily-Manifest.json", [f"{key}/a1/daily-1.csv.gz"] * 2)

    assert len(delivered(tmp_path)[NOVEMBER]) == 1


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zip", "a.zip", "a.parquet", "A.CSV"])
def test_a_file_and_its_copy_of_another_kind_are_not_both_counted(tmp_path, name):
    put(tmp_path, "a.csv", name, "b.csv")

    with pytest.raises(BillProblem, match="are the same but for their kind"):
        delivered(tmp_path)
