from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Account, Run
from tests.factories import make_reserved_instance

pytestmark = pytest.mark.django_db
FILE = '[[account]]\nid = "123456789012"\nname = "prod"\nregions = ["us-east-1"]\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(FILE)
    return path


def load(file, **options):
    out = StringIO()
    call_command("load_accounts", file, stdout=out, **options)
    return out.getvalue()


def test_it_says_what_it_changed(file):
    assert load(file) == "+ account 123456789012 prod\n+ 123456789012 us-east-1\n"


def test_the_second_time_there_is_nothing_to_change(file):
    load(file)

    assert load(file) == "Nothing to change.\n"


def test_a_dry_run_only_says_it(file):
    said = load(file, dry_run=True)

    assert said == "+ account 123456789012 prod\n+ 123456789012 us-east-1\n"
    assert not Account.objects.exists()


def test_where_purchases_are_known_an_audit_judges_them_again(file):
    make_reserved_instance()
    load(file, dry_run=True)
    assert not Run.objects.exists()

    said = load(file)

    assert said.endswith(f"{Run.objects.get().ref} judges Reserved Instances again.\n")


def test_every_problem_is_told_and_nothing_changed(file):
    file.write_text(FILE.replace("prod", "") + "colour = 1\n")

    with pytest.raises(CommandError) as raised:
        load(file)

    first, *problems = str(raised.value).splitlines()
    assert first == f"{file}: nothing was changed."
    assert [problem.partition(":")[0] for problem in problems] == ["Line 3", "Line 5"]
    assert not Account.objects.exists()


def test_a_file_in_another_encoding_is_told_with_its_line(file):
    file.write_bytes(FILE.replace("prod", "größe").encode("latin-1"))

    with pytest.raises(CommandError, match=r"accounts\.toml: line 3: this is not text in UTF-8"):
        load(file)


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path, name):
    with pytest.raises(CommandError, match="can't be read"):
        load(tmp_path / name)


def test_a_byte_order_mark_is_passed_over(file):
    file.write_bytes(b"\xef\xbb\xbf" + FILE.encode())

    load(file)

    assert Account.objects.count() == 1
