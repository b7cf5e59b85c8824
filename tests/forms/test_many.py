import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from registry.forms.many import COLUMNS, MOST_LINES, ManyForm, Unreadable, read_lines
from registry.models import Account
from tests.factories import make_account, make_scope
from tests.jobs.steps import KEY

pytestmark = pytest.mark.django_db
HEAD = "account,region,name,expected_usage_operation,snapshot_id"
NUMBER = "100000000001"
LINE = f"{NUMBER},eu-west-1,golden,RunInstances:0010,snap-1"


@pytest.fixture(autouse=True)
def account():
    account = make_account(number=NUMBER)
    make_scope(account=account, region="us-east-1")
    return make_scope(account=account).account


def read(*lines, key=KEY):
    return read_lines("\r\n".join(lines), key=key, accounts=Account.objects.all())


def one_line(**cells):
    """Read a line with these cells besides those that each line needs."""
    data = dict(zip(HEAD.split(","), LINE.split(","), strict=True)) | cells
    quoted = ['"' + text.replace('"', '""') + '"' for text in data.values()]
    (line,) = read(",".join(data), ",".join(quoted))
    return line


def uploaded(content, key=KEY):
    files: Any = MultiValueDict({"file": [SimpleUploadedFile("many.csv", content)]})
    return ManyForm({"key": str(key)}, files)


def test_each_line_is_a_wish_of_its_own():
    lines = read(HEAD, LINE, LINE.replace("golden", "silver"))

    assert [(line.number, line.name, line.problems) for line in lines] == [
        (2, "golden", {}),
        (3, "silver", {}),
    ]
    assert [line.wishes[0].fields["name"] for line in lines] == ["golden", "silver"]
    assert len({line.wishes[0].key for line in lines}) == 2


def test_the_same_file_under_the_same_key_is_the_same_wishes():
    assert read(HEAD, LINE) == read(HEAD, LINE)
    assert read(HEAD, LINE, key=uuid.uuid4()) != read(HEAD, LINE)


def test_empty_lines_and_cells_of_blanks_are_passed_over():
    (line,) = read(HEAD, "", ",,,,", "  , ,\t,,", LINE, "")

    assert (line.number, line.problems) == (5, {})


def test_blanks_around_heads_and_cells_do_not_count():
    (line,) = read(HEAD.replace(",", " , "), LINE.replace(",", " , "))

    assert line.problems == {}
    assert line.wishes[0].fields["name"] == "golden"


def test_what_is_left_empty_is_as_in_an_untouched_form():
    wish = one_line(architecture="", delete_on_termination="", volume_type="").wishes[0]

    assert "architecture" not in wish.fields
    assert wish.fields["delete_on_termination"] is True
    assert wish.fields["block_devices"] == []


@pytest.mark.parametrize(
    ("said", "means"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("Off", False)]
)
def test_yes_and_no_are_understood(said, means):
    fields = one_line(delete_on_termination=said).wishes[0].fields

    assert fields["delete_on_termination"] is means


@pytest.mark.parametrize("between", [" ", ";", "; "])
def test_a_copy_names_its_regions_in_one_cell(between):
    regions = between.join(["eu-west-1", "us-east-1"])

    line = one_line(method="copy", source_image_id="ami-1", destinations=regions, snapshot_id="")

    assert [wish.fields["region"] for wish in line.wishes] == ["eu-west-1", "us-east-1"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("\n\n\n", id="empty lines"),
        pytest.param(HEAD, id="only a head"),
        pytest.param(f"{HEAD}\n,,,,\n", id="only an empty line"),
        pytest.param(LINE, id="no head"),
        pytest.param("account;region;name", id="semicolons"),
        pytest.param(f"{HEAD},colour\n{LINE},red", id="unknown column"),
        pytest.param(f"{HEAD},\n{LINE},", id="a column without a name"),
        pytest.param(f"{HEAD},key\n{LINE},{KEY}", id="the key is ours"),
        pytest.param(f"{HEAD},name\n{LINE},x", id="double column"),
        pytest.param(f"{HEAD}, name \n{LINE},x", id="double column with blanks"),
        pytest.param(f'{HEAD}\n"{LINE}', id="quote that is left open"),
        pytest.param(f'{HEAD}\n"a"b,{LINE}', id="letters after a quote"),
        pytest.param(f"{HEAD}\n{LINE}\x00", id="NUL"),
        pytest.param(f"{HEAD}\n{LINE}".encode("utf-16-le").decode(), id="UTF-16 without a mark"),
        pytest.param(f"{HEAD}\n{'x' * 200_000}", id="a cell without an end"),
        pytest.param("<html><body>Sign in</body></html>", id="a web page"),
    ],
)
def test_what_is_no_such_table_is_refused_as_a_whole(text):
    with pytest.raises(Unreadable) as caught:
        read_lines(text, key=KEY, accounts=Account.objects.all())

    assert str(caught.value)[0].isupper()
    assert str(caught.value).endswith(".")


def test_the_missing_columns_are_named():
    with pytest.raises(Unreadable, match="these columns too: name, expected_usage_operation"):
        read("account,region", f"{NUMBER},eu-west-1")


def test_too_many_lines_are_refused_before_any_is_looked_at(django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(Unreadable, match="this file has 501"):
        read(HEAD, *[LINE] * (MOST_LINES + 1))


def test_as_many_lines_as_are_allowed_are_read():
    assert len(read(HEAD, *[LINE] * MOST_LINES)) == MOST_LINES


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        pytest.param({"account": "1"}, "account", "such an account", id="account"),
        pytest.param({"region": "moon-1"}, "region", "no such region", id="region"),
        pytest.param({"name": ""}, "name", "", id="no name"),
        pytest.param({"snapshot_id": ""}, "snapshot_id", "Choose a snapshot", id="no source"),
        pytest.param({"method": "theft"}, "method", "not one of the available", id="method"),
        pytest.param({"volume_size": "big"}, "volume_size", "whole number", id="word"),
        pytest.param({"volume_size": "8.5"}, "volume_size", "whole number", id="float"),
        pytest.param({"architecture": "vax"}, "architecture", "not one of the", id="architecture"),
        pytest.param(
            {"delete_on_termination": "maybe"}, "delete_on_termination", "Write yes", id="maybe"
        ),
        pytest.param({"tags": "team"}, "tags", "as key=value", id="tags"),
        pytest.param({"description": "d" * 256}, "description", "255", id="long"),
        pytest.param({"kms_key_id": "k"}, "kms_key_id", "Leave it empty", id="of a copy"),
        pytest.param({"destinations": "us-east-1"}, "destinations", "Leave it empty", id="to"),
        pytest.param(
            {"method": "instance", "source_instance_id": "i-1", "block_devices": "[]"},
            "block_devices",
            "Leave it empty",
            id="devices of an instance",
        ),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_of_its_column(cells, column, says):
    line = one_line(**cells)

    assert says in line.problems[column]
    assert line.wishes == []


def test_more_cells_than_columns_are_said_of_the_line():
    (line,) = read(HEAD, f"{LINE},one,more")

    assert line.problems == {"line": "It has more cells than the first line has columns."}


def test_cells_beyond_the_columns_alone_are_not_passed_over():
    (line,) = read(HEAD, ",,,,,stray")

    assert "line" in line.problems


def test_empty_cells_beyond_the_columns_do_no_harm():
    (line,) = read(HEAD, f"{LINE},,")

    assert line.problems == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x", id="no JSON"),
        pytest.param('{"DeviceName": "/dev/sdf"}', id="no list"),
        pytest.param('["/dev/sdf"]', id="no mappings"),
        pytest.param("[[]]", id="lists in a list"),
        pytest.param("null", id="null"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('[{"DeviceName": ' + "[" * 500 + "]" * 500 + "}]", id="deep in a value"),
        pytest.param('[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": {}}}]', id="nested"),
        pytest.param('[{"DeviceName": "/dev/sdf", "Ebs": []}]', id="no mapping for the volume"),
        pytest.param('[{"Ebs": {"VolumeSize": ' + "9" * 5_000 + "}}]", id="huge number"),
    ],
)
def test_devices_that_are_no_list_of_mappings_are_refused(text):
    line = one_line(block_devices=text)

    assert line.problems["block_devices"].startswith("Write a JSON list as AWS does")


def test_devices_are_asked_for_as_they_stand_there():
    devices: list[dict[str, Any]] = [
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "KmsKeyId": "k", "Encrypted": "false"}},
        {"DeviceName": "/dev/sdg", "VirtualName": "ephemeral0"},
        {},
    ]

    wish = one_line(block_devices=json.dumps(devices)).wishes[0]

    devices[0]["Ebs"]["DeleteOnTermination"] = True
    assert wish.fields["block_devices"] == devices


@pytest.mark.parametrize(
    "text",
    ["=cmd()", "+1", "@SUM(1)", "🙂", "\u202egnp.exe", "'; DROP TABLE registry_run; --"],
    ids=repr,
)
def test_a_text_is_kept_as_it_was_written(text):
    assert one_line(description=text).wishes[0].fields["description"] == text


def test_every_column_but_the_key_is_a_field_of_the_form():
    assert "key" not in COLUMNS
    assert {"block_devices", "destinations", "reason", "uefi_data"} <= set(COLUMNS)


def test_a_file_with_a_byte_order_mark_is_read():
    form = uploaded(b"\xef\xbb\xbf" + HEAD.encode())

    assert form.is_valid()
    assert form.cleaned_data["file"] == HEAD


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "The file is empty.", id="empty"),
        pytest.param(HEAD.encode("utf-16"), "Save the file as UTF-8.", id="UTF-16"),
        pytest.param("größe".encode("latin-1"), "Save the file as UTF-8.", id="Latin-1"),
        pytest.param(b"x" * 2_000_000, "Use a file of at most 1 MB.", id="2 MB"),
        pytest.param(b"\x1f\x8b\x08\x00", "Save the file as UTF-8.", id="compressed"),
    ],
)
def test_what_is_no_text_is_said_at_the_field(content, says):
    assert uploaded(content).errors == {"file": [says]}


def test_no_file_is_said_at_the_field():
    assert ManyForm({"key": str(KEY)}, MultiValueDict()).errors == {"file": ["Choose a file."]}
