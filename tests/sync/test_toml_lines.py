import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.sync.toml_lines import places

FILE = '''\
# [[account]] is what this is about
title = """
[[account]]
id = "not one"
"""

[[account]]  # the first
id = "111111111111"
name = 'one # not a comment'
regions = [  # the usual
    "us-east-1", "eu-west-1",
    # "ap-south-1",

    "nowhere",
]

[["account"]]
'id' = "222222222222"
"name" = """two
lines"""
role_arn = "a]b[c"
external . id = 1

[account.contact]
id = 7

[other]
id = 8
'''


@pytest.mark.parametrize(
    ("table", "key", "item", "line"),
    [
        pytest.param(0, "id", None, 8, id="a key"),
        pytest.param(0, "name", None, 9, id="after a text with a hash"),
        pytest.param(0, "regions", None, 10, id="a list"),
        pytest.param(0, "regions", 0, 11, id="its first item"),
        pytest.param(0, "regions", 1, 11, id="on the same line"),
        pytest.param(0, "regions", 2, 14, id="after comments and empty lines"),
        pytest.param(0, "regions", 9, 10, id="an item that is not there"),
        pytest.param(0, "payer", None, 7, id="a key that is not there"),
        pytest.param(1, "id", None, 18, id="a quoted key"),
        pytest.param(1, "name", None, 19, id="a text of two lines"),
        pytest.param(1, "role_arn", None, 21, id="after a text of two lines"),
        pytest.param(1, "external", None, 22, id="a dotted key"),
        pytest.param(1, "contact", None, 24, id="a table inside"),
        pytest.param(1, "", None, 17, id="the table itself"),
    ],
)
def test_a_key_has_a_line(table, key, item, line):
    assert places(FILE, "account").line(table, key, item) == line


@pytest.mark.parametrize(("key", "line"), [("title", 2), ("other", 27)])
def test_what_does_not_belong_has_a_line(key, line):
    assert places(FILE, "account").keys[key] == line


@pytest.mark.parametrize("quotes", ['"""', "'''"], ids=["basic", "literal"])
def test_a_heading_in_a_text_is_none(quotes):
    text = f"[[account]]\nname = {quotes}\n[[account]]\n'\"x = [\n{quotes}\nid = 1\n"

    found = places(text, "account")

    assert len(found.tables) == 1
    assert found.line(0, "id") == 6


def test_tables_in_a_list_have_lines():
    text = 'account = [\n  # one\n  {id = "1", regions = [\n  "a"]},\n {id = "2"}, {id = "3"}\n]\n'

    found = places(text, "account")

    assert [found.line(table, "id") for table in range(3)] == [3, 5, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["Unix", "Windows"])
def test_lines_end_as_they_do_anywhere(end):
    text = end.join(["[[account]]", 'id = "1"', 'name = "a\x85b\u2028c"', 'payer = "2"'])

    assert places(text, "account").line(0, "payer") == 4


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x7f"), max_size=12)


def quoted(text):
    """Return a text as a TOML literal of the first form that can hold it."""
    is_printable = not any(ord(letter) < 32 for letter in text)
    if is_printable and "'" not in text:
        return f"'{text}'"
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in text)
    return f'"{escaped}"' if is_printable else f'"""\n{escaped}"""'


@given(values=st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_key_is_found_where_it_was_written(values):
    lines, expected = [], []
    for keys in values:
        lines.append("[[account]]  # [[account]]")
        for number, value in enumerate(keys):
            expected.append("\n".join(lines).count("\n") + 2)
            lines.append(f"key{number} = {quoted(value)}")
    text = "\n".join(lines)
    tomllib.loads(text)

    found = places(text, "account")

    assert [
        found.line(table, f"key{number}")
        for table, keys in enumerate(values)
        for number in range(len(keys))
    ] == expected
