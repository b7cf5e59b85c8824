import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.clues import Link
from registry.billing.codes import TABLE, parts
from registry.billing.rules import (
    CLOSES,
    INSTANCE_RULES,
    LEVELS,
    MISMATCHES,
    RULEBOOK,
    RULES,
    Comparison,
    ImageFacts,
    InstanceFacts,
    Use,
    Violation,
    check_image,
    check_instance,
    compare,
    judge,
    raised,
)
from tests.billing.rule_cases import IMAGES, INSTANCES, VERDICTS, expected_as

PUBLISHED = [row.usage_operation for row in TABLE]
CODES = st.sampled_from([*PUBLISHED, "", None, "RunInstances:0018", "RunInstances:FFP-10"])
# AMI006 is about the code alone, and AMI012 about who uses a wrong one.
BESIDE = {"AMI006", "AMI012"}


def text_of(violations):
    return "\n".join(
        line
        for violation in violations
        for line in (violation.title, violation.message, *violation.remedy)
    )


@pytest.mark.parametrize("case", VERDICTS, ids=lambda case: case.name)
def test_the_verdict_compares_the_sets(case):
    found = compare(ImageFacts(**case.facts))

    assert found == Comparison(case.verdict, case.missing, case.unexpected)


@pytest.mark.parametrize("case", IMAGES, ids=lambda case: case.name)
def test_an_image_breaks_what_the_table_says_and_no_more(case):
    violations = judge(ImageFacts(**case.facts)).violations

    assert {each.rule: each.severity for each in violations} == case.breaks
    assert [words for words in case.says if words not in text_of(violations)] == []
    assert [words for words in case.never if words in text_of(violations)] == []


@pytest.mark.parametrize("case", INSTANCES, ids=lambda case: case.name)
def test_an_instance_breaks_what_the_table_says_and_no_more(case):
    violations = check_instance(InstanceFacts(**case.facts))

    assert {each.rule: each.severity for each in violations} == case.breaks
    assert [words for words in case.says if words not in text_of(violations)] == []
    assert [words for words in case.never if words in text_of(violations)] == []


def test_each_rule_is_broken_by_a_case_and_has_an_entry_in_the_rulebook():
    broken = {rule for case in (*IMAGES, *INSTANCES) for rule in case.breaks}

    assert broken == {*RULES, *INSTANCE_RULES}
    assert {*broken, "RI001", "RI002"} == set(RULEBOOK)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_images_speaks_under_its_own_id(rule):
    for case in IMAGES:
        facts = ImageFacts(**case.facts)
        violation = RULES[rule](facts, compare(facts))

        assert violation is None or violation.rule == rule


@pytest.mark.parametrize("entry", RULEBOOK.values(), ids=lambda entry: entry.id)
def test_an_entry_of_the_rulebook_is_whole(entry):
    said = (entry.title, entry.checks, entry.facts, entry.matters, entry.silent, entry.levels)

    assert all(text[0].isupper() and not text.endswith(" ") for text in said)
    assert all(text.endswith(".") for text in said[1:])
    assert entry.remedy
    assert entry.severity in LEVELS
    assert entry.source.address.startswith("https://docs.aws.amazon.com/")
    assert CLOSES[entry.id].endswith(".")
    assert entry.rises_with_use != ("Use does not raise it" in entry.levels)


def test_what_is_excused_is_still_named():
    (case,) = (
        each for each in VERDICTS if "billed as brought" in each.name and "beside" in each.name
    )

    found = compare(ImageFacts(**case.facts))

    assert (found.missing, found.unexpected) == (("RHEL",), ("RHEL BYOL",))


def test_what_is_not_raised_yet_becomes_what_is_judged():
    facts = ImageFacts("RunInstances", expected_as("RunInstances:00g0"), running=2)

    unraised, judged = check_image(facts), judge(facts)

    assert [each.severity for each in unraised.violations] == ["medium", "medium"]
    assert [each.severity for each in judged.violations] == ["high", "medium"]
    assert [raised(each, Use(running=2)) for each in unraised.violations] == [*judged.violations]


def test_the_rules_need_neither_django_nor_aws():
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, registry.billing.rules;"
                "print({name.partition('.')[0] for name in sys.modules} & {'django', 'boto3'})"
            ),
        ],
        capture_output=True,
        check=True,
        text=True,
    )

    assert said.stdout.strip() == "set()"


@given(
    expected=st.sampled_from(PUBLISHED), actual=st.sampled_from(PUBLISHED), running=st.integers(0)
)
def test_a_verdict_says_exactly_what_the_sets_say(expected, actual, running):
    judgment = judge(ImageFacts(actual, expected_as(expected), running=running))

    wanted, found = parts(expected) or frozenset(), parts(actual) or frozenset()
    missing, extra = wanted - found, found - wanted
    verdict = judgment.comparison.verdict
    assert set(judgment.comparison.missing) == missing
    assert set(judgment.comparison.unexpected) == extra
    assert (verdict == "ok") == (wanted == found)
    assert (verdict == "lost") == (bool(missing) and not found)
    assert (verdict == "wrong") == (bool(missing) and bool(extra))
    assert (verdict == "unexpected") == (wanted < found)
    assert (verdict == "partial") == (bool(missing) and bool(found) and not extra)
    assert len(judgment.violations) == (wanted != found) + (wanted != found and running > 0)


@given(
    expected=CODES,
    actual=CODES,
    confidence=st.sampled_from(["strong", "medium", "weak"]),
    is_marketplace=st.booleans(),
    running=st.integers(0, 2),
)
def test_one_cause_is_one_finding(expected, actual, confidence, is_marketplace, running):
    expectation = expected_as(expected or None, confidence)
    facts = ImageFacts(actual, expectation, is_marketplace=is_marketplace, running=running)

    judgment = judge(facts)

    rules = {each.rule for each in judgment.violations} - BESIDE
    is_empty = rules == {"AMI005"}
    assert len(rules) == (judgment.comparison.verdict in MISMATCHES) + is_empty


@given(
    actual=CODES,
    code=CODES,
    kind=st.sampled_from(["image", "instance"]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_a_parent_that_is_not_known_for_sure_is_no_reason(actual, code, kind, flags):
    is_recorded, is_copy, has_changed, may_have_changed = flags
    link = Link(
        kind,
        "ami-1",
        code,
        is_recorded=is_recorded,
        is_copy=is_copy,
        has_changed=has_changed,
        may_have_changed=may_have_changed,
    )

    broken = {each.rule for each in judge(ImageFacts(actual, parent=link)).violations}

    if not is_recorded or parts(actual) in {None, parts(code)} or parts(code) is None:
        assert not broken & {"AMI010", "AMI011"}


@given(
    level=st.sampled_from(LEVELS), running=st.integers(0), idle=st.integers(0), age=st.integers()
)
def test_use_never_lowers_a_severity(level, running, idle, age):
    for entry in RULEBOOK.values():
        before = Violation(entry.id, level, "", "", ())

        after = raised(before, Use(running, idle, age))

        assert LEVELS.index(after.severity) >= LEVELS.index(level)
        assert entry.rises_with_use or after == before
