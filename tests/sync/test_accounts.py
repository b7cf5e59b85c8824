import pytest

from registry.models import Account, Scope
from registry.sync import AccountsInvalid, load_accounts
from tests.factories import make_account, make_image, make_scope

pytestmark = pytest.mark.django_db
ONE = """
[[account]]
id = "123456789012"
name = "prod"
payer = "100000000001"
role_arn = "arn:aws:iam::123456789012:role/portal"
external_id = "our-secret-7"
regions = ["us-east-1", "eu-west-1"]
reserved_instance_sharing = false
"""
LEAST = '[[account]]\nid = "123456789012"\nname = "prod"\nregions = []\n'


def problems(text):
    with pytest.raises(AccountsInvalid) as raised:
        load_accounts(text)
    return raised.value.problems


def account(**lines):
    """Return a file of one account in which some lines are other; None: left out."""
    whole = {"id": '"123456789012"', "name": '"prod"', "regions": '["us-east-1"]'} | lines
    return "[[account]]\n" + "".join(f"{k} = {v}\n" for k, v in whole.items() if v is not None)


def test_an_account_is_declared():
    load_accounts(ONE)

    row = Account.objects.get()
    assert (row.number, row.name, row.payer) == ("123456789012", "prod", "100000000001")
    assert row.role_arn == "arn:aws:iam::123456789012:role/portal"
    assert row.external_id == "our-secret-7"
    assert not row.reserved_instance_sharing
    assert row.is_synced
    assert sorted(row.scopes.values_list("region", flat=True)) == ["eu-west-1", "us-east-1"]


def test_what_is_left_out_has_its_default():
    load_accounts(LEAST)

    row = Account.objects.get()
    assert (row.payer, row.role_arn, row.external_id) == ("", "", "")
    assert row.reserved_instance_sharing


def test_a_group_is_declared_and_taken_back():
    load_accounts(account(sharing_group='"retail"', group_only="true"))
    row = Account.objects.get()
    assert (row.sharing_group, row.is_group_restricted) == ("retail", True)

    difference = load_accounts(account())

    row.refresh_from_db()
    assert (row.sharing_group, row.is_group_restricted) == ("", False)
    assert difference.lines == (
        "~ account 123456789012: sharing_group 'retail' -> ''",
        "~ account 123456789012: group_only True -> False",
    )


def test_where_the_bill_lies_and_who_asks_for_prices_is_declared_and_taken_back():
    load_accounts(account(bill='"s3://northwind-bills/cur"', reads_prices="true"))
    row = Account.objects.get()
    assert (row.bill, row.reads_prices) == ("s3://northwind-bills/cur", True)

    load_accounts(account(bill='"northwind/reports"'))

    row.refresh_from_db()
    assert (row.bill, row.reads_prices) == ("northwind/reports", False)


def test_the_difference_is_told():
    load_accounts(ONE)
    text = ONE.replace('"prod"', '"production"').replace('"eu-west-1"', '"eu-central-1"')

    difference = load_accounts(text)

    assert difference.lines == (
        "~ account 123456789012: name 'prod' -> 'production'",
        "+ 123456789012 eu-central-1",
        "- 123456789012 eu-west-1, its data stay",
    )


def test_declaring_twice_is_declaring_once(django_assert_num_queries):
    load_accounts(ONE)

    with django_assert_num_queries(4):  # nothing is written; two are for a savepoint
        difference = load_accounts(ONE)

    assert difference.lines == ()


def test_a_dry_run_tells_the_difference_and_changes_nothing():
    load_accounts(LEAST)

    difference = load_accounts(ONE, is_dry=True)

    row = Account.objects.get()
    assert "+ 123456789012 us-east-1" in difference.lines
    assert (row.payer, row.role_arn) == ("", "")
    assert not Scope.objects.exists()


def test_a_region_that_is_no_longer_named_keeps_its_data():
    load_accounts(ONE)
    row = Account.objects.get()
    image = make_image(account=row, region="eu-west-1")

    load_accounts(ONE.replace(', "eu-west-1"', ""))

    image.refresh_from_db()
    assert not image.is_gone
    assert not row.scopes.get(region="eu-west-1").is_enabled


def test_a_region_that_is_named_again_is_enabled():
    load_accounts(ONE)
    load_accounts(ONE.replace(', "eu-west-1"', ""))

    difference = load_accounts(ONE)

    assert difference.lines == ("+ 123456789012 eu-west-1, enabled again",)
    assert Scope.objects.enabled().count() == 2


def test_a_region_named_twice_is_one():
    load_accounts(account(regions='["us-east-1", "us-east-1"]'))

    assert Scope.objects.count() == 1


def test_accounts_that_are_not_in_the_file_are_left_alone():
    other = make_scope(account=make_account(number="999999999999"))

    load_accounts(ONE)

    other.refresh_from_db()
    assert other.is_enabled


def test_an_account_known_from_a_recording_is_asked_once_it_has_a_role():
    make_account(number="123456789012", name="prod", is_synced=False)

    load_accounts(LEAST + 'role_arn = "arn:aws:iam::123456789012:role/amiportal"\n')

    assert Account.objects.get().is_synced


def test_an_account_known_from_a_recording_stays_so_without_a_role():
    make_account(number="123456789012", name="prod", is_synced=False)

    difference = load_accounts(LEAST)

    assert difference.lines == ()
    assert not Account.objects.get().is_synced


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        ({"colour": '"red"'}, 5, "unknown key colour"),
        ({"id": '"1234"'}, 2, "twelve digits"),
        ({"id": "123456789012"}, 2, "in quotes"),
        ({"id": '"123456789012\\n"'}, 2, "twelve digits"),
        ({"id": f'"{chr(0xFF11) * 12}"'}, 2, "twelve digits"),
        ({"id": None}, 1, "has no id"),
        ({"name": '""'}, 3, "1 to 100 characters"),
        ({"name": '"  "'}, 3, "1 to 100 characters"),
        ({"name": f'"{"x" * 101}"'}, 3, "1 to 100 characters"),
        ({"name": '"a\\u0000b"'}, 3, "1 to 100 characters"),
        ({"name": '"a\\nb"'}, 3, "1 to 100 characters"),
        ({"name": "7"}, 3, "1 to 100 characters"),
        ({"name": None}, 1, "has no name"),
        ({"payer": '"the boss"'}, 5, "twelve digits"),
        ({"payer": "true"}, 5, "twelve digits"),
        ({"role_arn": '"portal"'}, 5, "arn:aws:iam"),
        ({"role_arn": '""'}, 5, "arn:aws:iam"),
        ({"role_arn": '"arn:aws:iam::123456789012:user/portal"'}, 5, "arn:aws:iam"),
        ({"role_arn": '"arn:aws:iam::123456789012:role/portal\\n"'}, 5, "arn:aws:iam"),
        ({"role_arn": f'"arn:aws:iam::123456789012:role/{"x" * 600}"'}, 5, "arn:aws:iam"),
        ({"role_arn": '"arn:aws:iam::999999999999:role/portal"'}, 5, "of another account"),
        ({"role_arn": "[]"}, 5, "arn:aws:iam"),
        ({"external_id": '"a"'}, 5, "2 to 1,224"),
        ({"external_id": '"a b"'}, 5, "2 to 1,224"),
        ({"external_id": f'"{"x" * 1225}"'}, 5, "2 to 1,224"),
        ({"external_id": "2026-11-24"}, 5, "2 to 1,224"),
        ({"regions": '["us-east-1", "Ireland"]'}, 4, "'Ireland' is no region"),
        ({"regions": '[\n"us-east-1",\n"us-east-1\\n",\n]'}, 6, "is no region"),
        ({"regions": '["us-east-1", 3]'}, 4, "3 is no region"),
        ({"regions": '"us-east-1"'}, 4, "regions is a list"),
        ({"regions": None}, 1, "has no regions"),
        ({"reserved_instance_sharing": '"yes"'}, 5, "true or false"),
        ({"reserved_instance_sharing": "1"}, 5, "true or false"),
        ({"sharing_group": '""'}, 5, "1 to 64"),
        ({"sharing_group": f'"{"x" * 65}"'}, 5, "1 to 64"),
        ({"sharing_group": "7"}, 5, "1 to 64"),
        ({"group_only": '"yes"', "sharing_group": '"retail"'}, 5, "group_only is true or false"),
        ({"group_only": "true"}, 5, "group_only needs a sharing_group"),
        ({"reads_prices": '"yes"'}, 5, "reads_prices is true or false"),
        ({"bill": '"../other"'}, 5, "a folder below"),
        ({"bill": '"/etc"'}, 5, "a folder below"),
        ({"bill": '"s3://"'}, 5, "s3://bucket/prefix"),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_told_with_its_line(lines, place, words):
    (problem,) = problems(account(**lines))

    assert problem.startswith(f"Line {place}: ")
    assert words in problem
    assert len(problem) < 300
    assert not Account.objects.exists()


def test_every_problem_is_told_at_once():
    text = account(id='"1"', colour='"red"') + account(id='"2"', name='""')

    found = problems(text)

    assert [problem.partition(":")[0] for problem in found] == [
        "Line 2",
        "Line 5",
        "Line 7",
        "Line 8",
    ]


def test_one_wrong_account_keeps_the_others_out():
    problems(ONE + account(id='"1"'))

    assert not Account.objects.exists()


def test_an_account_that_is_declared_twice_is_told_once_more():
    (problem,) = problems(ONE + account())

    assert problem == "Line 11: account 123456789012 is here twice."


def test_two_accounts_without_an_id_are_not_the_same():
    found = problems(account(id=None) + account(id=None))

    assert [problem.partition(".")[0] for problem in found] == [
        "Line 1: the account has no id",
        "Line 4: the account has no id",
    ]


def test_a_key_of_a_table_inside_is_unknown():
    (problem,) = problems(f"{ONE}[account.contact]\nmail = 'a@example.com'\n")

    assert problem.startswith("Line 10: unknown key contact.")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'title = "ours"\n{ONE}', 1),
        (f'{ONE}\n[settings]\nname = "x"\n', 11),
        (f"# comment\n[[accounts]]\n{ONE}", 2),
    ],
    ids=["a key", "a table", "a heading with a slip"],
)
def test_what_is_no_account_is_told_with_its_line(text, place):
    (problem,) = problems(text)

    assert problem.startswith(f"Line {place}: unknown key")


def test_the_list_form_is_taken_too():
    load_accounts(
        """
account = [
    {id = "111111111111", name = "one", regions = ["us-east-1"]},
    {id = "222222222222", name = "two", regions = []},
]
"""
    )

    assert Account.objects.count() == 2


def test_the_list_form_has_lines_too():
    text = """
account = [
    # the first
    {id = "111111111111", name = "one", regions = ["us-east-1"]},
    {id = "222222222222", name = "", regions = []},
]
"""
    (problem,) = problems(text)

    assert problem.startswith("Line 5: name is ''")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[account]]\nid = "1\n', "line 2"),
        ("[[account]]\nid = 1\nid = 2\n", "line 3"),
        ("{}", "line 1"),
        ("[[account]]\nregions = [", "end of document"),
        (f"[[account]]\nid = {'9' * 5000}\n", "TOML"),
        (f"x = {'[' * 5000}", "TOML"),
    ],
    ids=["open quote", "twice", "JSON", "open list", "a number without end", "nested without end"],
)
def test_what_is_not_toml_is_told(text, words):
    (problem,) = problems(text)

    assert problem.startswith("This is not TOML")
    assert words in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Line 1: there is no [[account]] in it."),
        ("# nothing\n", "Line 1: there is no [[account]] in it."),
        ("account = []", "Line 1: there is no [[account]] in it."),
        ("\n\naccount = 7", "Line 3: accounts are written as [[account]]."),
        ('\n[account]\nid = "1"', "Line 2: accounts are written as [[account]]."),
        ("account = [1]", "Line 1: accounts are written as [[account]]."),
    ],
)
def test_a_file_without_accounts_is_told(text, problem):
    assert problems(text) == [problem]


def test_a_byte_order_mark_is_passed_over():
    load_accounts("\ufeff" + LEAST)

    assert Account.objects.count() == 1


def test_a_large_file_is_loaded_and_its_last_slip_found():
    tables = [account(id=f'"{number:012d}"') for number in range(1, 500)]
    load_accounts("".join(tables))

    (problem,) = problems("".join([*tables, account(id='"000000000500"', name='""')]))

    assert Account.objects.count() == 499
    assert problem.startswith(f"Line {499 * 4 + 3}: name")
