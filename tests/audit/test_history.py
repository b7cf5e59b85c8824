import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.audit.history import chain, judged_changes, links
from registry.models import Image
from tests.factories import NOON

RHEL = "RunInstances:0010"


def hop(aws_id, code=None, **more):
    return {"kind": "image", "aws_id": aws_id, "name": "", "usage_operation": code} | more


def values(verdict="ok", expected=RHEL, lineage=()):
    return {
        "verdict": verdict,
        "expected_usage_operation": expected,
        "lineage": list(lineage),
        "confidence": "strong",
    }


def changes(stored, new):
    image = Image(pk=1, **stored)
    return [(c.field, c.before, c.after) for c in judged_changes(image, new, at=NOON)]


def test_a_change_is_of_the_image_and_of_that_time():
    image = Image(pk=7)

    change = judged_changes(image, values(), at=NOON)[0]

    assert (change.image, change.instance, change.at) == (image, None, NOON)


def test_the_first_judgment_comes_from_nothing():
    assert changes({}, values("lost", lineage=[hop("ami-1")])) == [
        ("expected", None, RHEL),
        ("verdict", None, "lost"),
    ]


def test_a_first_judgment_that_expects_nothing_has_no_expected_code():
    assert changes({}, values("unknown", None)) == [("verdict", None, "unknown")]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(values(), [], id="the same"),
        pytest.param(values("lost"), [("verdict", "ok", "lost")], id="verdict"),
        pytest.param(values(expected=None), [("expected", RHEL, None)], id="expected"),
        pytest.param(values() | {"confidence": "weak"}, [], id="confidence"),
    ],
)
def test_only_what_differs_is_a_change(new, expected):
    assert changes(values(), new) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            [hop("ami-1", RHEL)],
            [hop("i-3", RHEL), hop("snap-2"), hop("ami-1", RHEL)],
            (
                "ami-1 [RunInstances:0010]",
                "ami-1 [RunInstances:0010] ← snap-2 ← i-3 [RunInstances:0010]",
            ),
            id="origin found",
        ),
        pytest.param(
            [hop("i-3", RHEL), hop("ami-1", RHEL)],
            [hop("i-3", "RunInstances"), hop("ami-1", RHEL)],
            (
                "ami-1 [RunInstances:0010] ← i-3 [RunInstances:0010]",
                "ami-1 [RunInstances:0010] ← i-3 [RunInstances]",
            ),
            id="other code",
        ),
        pytest.param(
            [hop("ami-1")], [hop("ami-1", "")], ("ami-1", "ami-1 [empty]"), id="left empty"
        ),
        pytest.param(
            [hop("i-3"), hop("ami-1")],
            [hop("i-3", name="web", detail="found", is_gone=True), hop("ami-1")],
            None,
            id="name and details",
        ),
    ],
)
def test_a_lineage_changes_with_its_ids_and_codes(before, after, expected):
    found = changes(values(lineage=before), values(lineage=after))

    assert found == ([("lineage", *expected)] if expected else [])


_codes = st.none() | st.sampled_from(["", "RunInstances", RHEL, "RunInstances:00g0"])
_hops = st.lists(st.tuples(st.from_regex(r"(ami|snap|i)-[0-9a-f]{4}", fullmatch=True), _codes))


@settings(max_examples=50)
@given(_hops)
def test_a_chain_can_be_read_back_the_newest_first(pairs):
    text = chain([hop(aws_id, code) for aws_id, code in pairs])

    assert links(text) == pairs[::-1]


def test_what_is_no_chain_has_no_codes():
    assert links("ami-1 [Run ← [ ← ami 2 x") == [("[", None)]
