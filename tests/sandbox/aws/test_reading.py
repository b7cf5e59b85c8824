import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws.errors import Refused
from sandbox.aws.reading import dry, filtered, member, page, part

READERS = {"name": member("Name"), "is-public": member("Public"), "zone": part("Place", "Zone")}


def names(things, **filters):
    wanted = [{"Name": name.replace("_", "-"), "Values": v} for name, v in filters.items()]
    return [thing["Name"] for thing in filtered(things, wanted, READERS)]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        pytest.param("web", "web", True, id="the same"),
        pytest.param("web", "web-1", False, id="only the beginning"),
        pytest.param("web", "Web", False, id="other case"),
        pytest.param("web-*", "web-", True, id="star for nothing"),
        pytest.param("*b-?", "web-1", True, id="question mark for one"),
        pytest.param("web-?", "web-", False, id="question mark for none"),
        pytest.param("a[1-3]", "a[1-3]", True, id="brackets are plain"),
        pytest.param("a[1-3]", "a2", False, id="brackets are no class"),
        pytest.param("a.b", "axb", False, id="a point is plain"),
        pytest.param(r"a\*b", "a*b", True, id="escaped star"),
        pytest.param(r"a\*b", "axb", False, id="escaped star is no star"),
        pytest.param(r"a\\b", r"a\b", True, id="escaped backslash"),
        pytest.param("a*b", "a\nb", True, id="star over a line end"),
        pytest.param("web", "web\n", False, id="no line end more"),
        pytest.param("", "", True, id="empty"),
        pytest.param("(", "(", True, id="half a bracket"),
    ],
)
def test_only_star_and_question_mark_are_special(pattern, name, fits):
    assert names([{"Name": name}], name=[pattern]) == ([name] if fits else [])


def test_values_of_one_filter_are_alternatives_and_filters_add_up():
    things = [
        {"Name": "a", "Public": True},
        {"Name": "b", "Public": True},
        {"Name": "c", "Public": False},
    ]

    assert names(things, name=["a", "c"], is_public=["true"]) == ["a"]


def test_a_missing_member_meets_no_filter():
    things = [{"Name": "a"}, {"Name": "b", "Place": {}}, {"Name": "c", "Place": {"Zone": "z"}}]

    assert names(things, zone=["*"]) == ["c"]


def test_a_filter_without_values_leaves_nothing():
    assert filtered([{"Name": "a"}], [{"Name": "name"}], READERS) == []


@pytest.mark.parametrize(
    ("name", "value"), [("tag:team", "web"), ("tag:team", "w*"), ("tag-key", "team")]
)
def test_tags_can_be_filtered_by(name, value):
    mine = {"Name": "a", "Tags": [{"Key": "team", "Value": "web"}]}
    others = {"Name": "b", "Tags": [{"Key": "owner", "Value": "web"}]}

    assert filtered([mine, others], [{"Name": name, "Values": [value]}], READERS) == [mine]


def test_an_unknown_filter_is_refused():
    with pytest.raises(Refused, match="'colour' is invalid"):
        names([], colour=["blue"])


@pytest.mark.parametrize(("number", "is_refused"), [(200, False), (201, True)])
def test_a_call_takes_two_hundred_values(number, is_refused):
    values = [str(position) for position in range(number)]

    assert was_refused(lambda: names([], name=values)) == is_refused


@given(st.lists(st.integers(), max_size=30), st.integers(1, 12))
def test_the_pages_together_are_the_whole(things, size):
    found, token, most = [], None, 0

    while token != "":
        answer = page(things, {"MaxResults": size, "NextToken": token}, "Things")
        found += answer["Things"]
        most = max(most, len(answer["Things"]))
        token = answer.get("NextToken", "")

    assert found == things
    assert most <= size


@pytest.mark.parametrize(("size", "has_more"), [(1, True), (2, False), (3, False)])
def test_only_where_there_is_more_a_token_says_so(size, has_more):
    answer = page([1, 2], {"MaxResults": size}, "Things")

    assert ("NextToken" in answer) == has_more


@given(st.text())
def test_a_token_of_somebody_else_is_refused_or_none(token):
    assert token == "" or was_refused(lambda: page([1], {"NextToken": token}, "Things"))


def test_a_token_beyond_the_end_is_an_empty_page():
    token = page([1, 2, 3], {"MaxResults": 2}, "Things")["NextToken"]

    assert page([1], {"NextToken": token}, "Things") == {"Things": []}


@pytest.mark.parametrize(("asked", "is_refused"), [(True, True), (False, False), (None, False)])
def test_only_a_dry_run_ends_as_one(asked, is_refused):
    assert was_refused(lambda: dry({"DryRun": asked})) == is_refused


def was_refused(act):
    try:
        act()
    except Refused:
        return True
    return False
