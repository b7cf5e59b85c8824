import os

import pytest

from registry.sync.bills import BillProblem, Folder


@pytest.fixture
def bills(tmp_path):
    (tmp_path / "bills" / "northwind").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.csv").write_text("a")
    return tmp_path / "bills"


def test_a_folder_lists_its_files_at_any_depth(bills):
    deep = bills / "northwind" / "x" / "y.csv"
    deep.parent.mkdir()
    deep.write_text("abc")

    (found,) = Folder(bills / "northwind", limit=bills).list_files()

    assert (found.path, found.size, found.folder) == ("x/y.csv", 3, "x")


@pytest.mark.parametrize("way", ["../secret", "..", "northwind/../../secret"])
def test_no_way_leads_out_of_the_folder_of_all_bills(bills, way):
    with pytest.raises(BillProblem, match="leads out"):
        Folder(bills / way, limit=bills)


def test_a_folder_that_is_a_link_to_elsewhere_is_refused(bills):
    (bills / "link").symlink_to(bills.parent / "secret")

    with pytest.raises(BillProblem, match="leads out"):
        Folder(bills / "link", limit=bills)


def test_a_file_that_is_a_link_to_elsewhere_is_refused(bills):
    (bills / "northwind" / "a.csv").symlink_to(bills.parent / "secret" / "a.csv")

    with pytest.raises(BillProblem, match="leads out"):
        Folder(bills / "northwind", limit=bills).list_files()


def test_a_file_that_became_a_link_since_is_not_opened(bills):
    file = bills / "northwind" / "a.csv"
    file.write_text("a")
    folder = Folder(bills / "northwind", limit=bills)
    (listed,) = folder.list_files()
    file.unlink()
    file.symlink_to(bills.parent / "secret" / "a.csv")

    with pytest.raises(BillProblem, match="leads out"):
        folder.fetch(listed, bills)


def test_a_folder_that_is_not_there_is_named_as_people_call_it(bills):
    with pytest.raises(BillProblem, match=r"^south is not a folder\.$"):
        Folder(bills / "south", limit=bills, called="south")


def test_what_is_no_file_is_none_of_a_report(bills):
    os.mkfifo(bills / "northwind" / "a.csv")

    assert Folder(bills / "northwind", limit=bills).list_files() == []


def test_a_link_to_itself_is_said(bills):
    (bills / "northwind" / "a.csv").symlink_to("a.csv")

    with pytest.raises(BillProblem, match=r"a\.csv can't be read"):
        Folder(bills / "northwind", limit=bills).list_files()
