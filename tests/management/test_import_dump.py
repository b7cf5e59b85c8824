import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Image, Run, RunKind
from tests.data.items import image_item

pytestmark = pytest.mark.django_db
PLACE = {"account": "123456789012", "region": "us-east-1"}


@pytest.fixture
def dump(tmp_path):
    (tmp_path / "images.json").write_text(json.dumps({"Images": [image_item()]}))
    return tmp_path


def test_it_says_what_came_of_each_file(dump):
    out = StringIO()

    call_command("import_dump", dump, **PLACE, stdout=out)

    line = "123456789012/us-east-1/images.json: 1 seen, 1 new, 0 changed, 0 gone"
    assert out.getvalue().splitlines()[0] == line


def test_what_it_read_is_judged(dump):
    call_command("import_dump", dump, **PLACE, stdout=StringIO())

    assert Run.objects.get().kind == RunKind.AUDIT


def test_it_mentions_what_it_did_not_read(dump):
    (dump / "image.json").touch()
    err = StringIO()

    call_command("import_dump", dump, **PLACE, stderr=err, stdout=StringIO())

    assert err.getvalue().startswith(f"{dump / 'image.json'} was not read: it is none of ")


def test_folders_need_no_options(dump):
    folder = dump / "whole" / "111111111111" / "eu-west-1"
    folder.mkdir(parents=True)
    (dump / "images.json").rename(folder / "images.json")

    call_command("import_dump", dump / "whole", stdout=StringIO())

    assert Image.objects.get().region == "eu-west-1"


def test_nothing_is_imported_from_a_malformed_file(dump):
    (dump / "volumes.json").write_text("{")

    with pytest.raises(CommandError, match=r"Nothing was imported\. .*volumes\.json: line 1"):
        call_command("import_dump", dump, **PLACE)

    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"account": "123456789012"}, "both --account and --region"),
        ({"region": "us-east-1"}, "both --account and --region"),
        ({"account": "1234", "region": "us-east-1"}, "twelve digits"),
        ({"account": "123456789012\n", "region": "us-east-1"}, "twelve digits"),
        ({"account": "123456789012", "region": "Ireland"}, "write us-east-1"),
        ({"account": "123456789012", "region": "us-east-1\n"}, "write us-east-1"),
    ],
)
def test_options_that_make_no_sense_are_told(dump, options, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_dump", dump, **options)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("import_dump", tmp_path / "nowhere", **PLACE)
