import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.clues import Expectation
from registry.billing.codes import (
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_STANDARD,
    SQL_WEB,
    SUSE,
    TABLE,
    UBUNTU_PRO,
    WINDOWS,
    WINDOWS_BYOL,
    compose,
    label,
    parts,
)
from registry.billing.rules import (
    RULES,
    Comparison,
    ImageFacts,
    compare,
    is_marketplace_code,
    judge,
)

PLAIN, NOTHING = frozenset[str](), None
PUBLISHED = [row.usage_operation for row in TABLE]
AGAIN = (
    "Replace the instances that were launched from this AMI. An instance keeps its code.",
    "Discard this AMI. The billing code of an AMI can't be edited.",
)
CONVERTED = "Create the AMI again from a converted instance, then discard this one."
CONVERT_WINDOWS = (
    (
        "Convert the license of its instances with License Manager. Only instances launched from "
        "your own media can change to a license of your own."
    ),
    CONVERTED,
)
CONVERT_RHEL = (
    (
        "Convert the license of its instances with License Manager. For a license of your own, the "
        "Red Hat subscription must be there first."
    ),
    CONVERTED,
)
ASK = (
    "Find out which of the two is right: the code, or what the AMI is expected to be.",
    "Create the AMI again from an instance with the right code, then discard this one.",
)


def create_again(platform):
    first = (
        f"Create the AMI again with CreateImage from an instance that is billed as {platform}: "
        "an instance passes its code on."
    )
    return (first, *AGAIN)


def expected_as(code, confidence="strong"):
    if code is None:
        return Expectation(None, "", "none", "none", ())
    return Expectation(code, label(code), confidence, "instance", ())


def facts(expected, actual, *, confidence="strong", **fields):
    """Facts by sets of licences; a text or None as `actual` is the code itself."""
    code = None if expected is None else compose(frozenset(expected))
    found = actual if actual is None or isinstance(actual, str) else compose(frozenset(actual))
    return ImageFacts(found, expected_as(code, confidence), **fields)


@pytest.mark.parametrize(
    ("expected", "actual", "verdict", "missing", "extra"),
    [
        pytest.param(PLAIN, PLAIN, "ok", [], [], id="plain as expected"),
        pytest.param({RHEL}, {RHEL}, "ok", [], [], id="a licence as expected"),
        pytest.param({RHEL}, "RunInstances:0010:SV006", "ok", [], [], id="on Spot"),
        pytest.param({RHEL}, PLAIN, "lost", [RHEL], [], id="lost"),
        pytest.param({RHEL}, "", "lost", [RHEL], [], id="lost, the field is empty"),
        pytest.param({RHEL_BYOL}, PLAIN, "lost", [RHEL_BYOL], [], id="a licence of one's own lost"),
        pytest.param({RHEL, RHEL_HA}, PLAIN, "lost", [RHEL, RHEL_HA], [], id="two licences lost"),
        pytest.param(
            {WINDOWS, SQL_STANDARD}, {WINDOWS}, "partial", [SQL_STANDARD], [], id="SQL lost"
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD}, {SQL_STANDARD}, "partial", [WINDOWS], [], id="Windows lost"
        ),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, "partial", [RHEL_HA], [], id="HA lost"),
        pytest.param(PLAIN, {RHEL}, "unexpected", [], [RHEL], id="a licence on plain Linux"),
        pytest.param({RHEL}, {RHEL, RHEL_HA}, "unexpected", [], [RHEL_HA], id="an add-on"),
        pytest.param({RHEL}, {SUSE}, "wrong", [RHEL], [SUSE], id="another system"),
        pytest.param(
            {WINDOWS_BYOL}, {WINDOWS}, "wrong", [WINDOWS_BYOL], [WINDOWS], id="brought, yet paid"
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD},
            {WINDOWS, SQL_WEB},
            "wrong",
            [SQL_STANDARD],
            [SQL_WEB],
            id="another edition",
        ),
        pytest.param({RHEL}, None, "unknown", [], [], id="a code never recorded"),
        pytest.param(NOTHING, {RHEL}, "unknown", [], [], id="nothing expected"),
        pytest.param(NOTHING, "", "unknown", [], [], id="nothing expected, the field is empty"),
        pytest.param(NOTHING, None, "unknown", [], [], id="nothing at all"),
        pytest.param(PLAIN, "", "unknown", [], [], id="plain expected, the field is empty"),
        pytest.param(PLAIN, None, "unknown", [], [], id="plain expected, never recorded"),
        pytest.param({RHEL}, "RunInstances:FFP-10", "unknown", [], [], id="cannot be decoded"),
        pytest.param({RHEL}, "x", "unknown", [], [], id="no code at all"),
        pytest.param(
            {RHEL}, "RunInstances:0018", "unknown", [], ["bit 3"], id="a bit of unknown meaning"
        ),
        pytest.param(
            {RHEL}, "RunInstances:0008", "unknown", [RHEL], ["bit 3"], id="an unknown bit instead"
        ),
    ],
)
def test_the_verdict_compares_the_sets(expected, actual, verdict, missing, extra):
    found = compare(facts(expected, actual))

    assert found == Comparison(verdict, tuple(missing), tuple(extra))


@pytest.mark.parametrize(
    ("expected", "actual", "verdict"),
    [
        pytest.param({RHEL}, PLAIN, "excused", id="Red Hat through the Marketplace"),
        pytest.param({RHEL}, {RHEL_BYOL}, "excused", id="the same, billed as brought"),
        pytest.param({RHEL, RHEL_HA}, PLAIN, "excused", id="with the add-on"),
        pytest.param({RHEL, RHEL_HA}, {RHEL_BYOL}, "excused", id="with the add-on, brought"),
        pytest.param({SUSE}, PLAIN, "excused", id="SUSE for SAP"),
        pytest.param({UBUNTU_PRO}, PLAIN, "excused", id="Ubuntu Pro"),
        pytest.param({RHEL}, "", "excused", id="the field is empty"),
        pytest.param({RHEL}, {RHEL}, "ok", id="a code as expected needs no excuse"),
        pytest.param(PLAIN, PLAIN, "ok", id="nor does a plain one"),
        pytest.param(PLAIN, {RHEL}, "unexpected", id="a charge is not excused"),
        pytest.param(PLAIN, {RHEL_BYOL}, "unexpected", id="nor is a licence nobody expects"),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, "partial", id="nor is a part of the code"),
        pytest.param({RHEL}, {SUSE}, "wrong", id="nor is another system"),
        pytest.param({RHEL}, {WINDOWS_BYOL}, "wrong", id="nor is Windows brought along"),
        pytest.param({WINDOWS}, PLAIN, "lost", id="Windows is never billed as plain"),
        pytest.param({WINDOWS_BYOL}, PLAIN, "lost", id="nor is Windows of one's own"),
        pytest.param({WINDOWS, SQL_STANDARD}, PLAIN, "lost", id="nor with SQL Server"),
        pytest.param({RHEL}, None, "unknown", id="never recorded stays unknown"),
        pytest.param(NOTHING, PLAIN, "unknown", id="without evidence nothing is excused"),
    ],
)
def test_a_marketplace_code_excuses_a_plain_one(expected, actual, verdict):
    assert compare(facts(expected, actual, is_marketplace=True)).verdict == verdict


@pytest.mark.parametrize(
    ("expected", "actual", "sold_with", "verdict"),
    [
        pytest.param({RHEL}, PLAIN, {RHEL}, "lost", id="RHEL for SAP, sold by AWS"),
        pytest.param({RHEL}, "", {RHEL}, "lost", id="the field is empty"),
        pytest.param({RHEL, RHEL_HA}, PLAIN, {RHEL, RHEL_HA}, "lost", id="with the add-on"),
        pytest.param({RHEL_BYOL}, PLAIN, {RHEL_BYOL}, "excused", id="brought beside it"),
        pytest.param({RHEL}, {RHEL_BYOL}, {RHEL}, "excused", id="billed as brought"),
        pytest.param({SUSE}, PLAIN, {RHEL}, "excused", id="another licence"),
    ],
)
def test_a_licence_beside_the_same_product_code_is_not_excused(
    expected, actual, sold_with, verdict
):
    found = facts(expected, actual, is_marketplace=True, sold_with=frozenset(sold_with))

    assert compare(found).verdict == verdict


@pytest.mark.parametrize(
    ("product_id", "kind", "is_one"),
    [
        pytest.param("abc", "marketplace", True, id="by its type"),
        pytest.param("6cd5fxzrad0cu2j23p692xytz", "", True, id="Red Hat's, without type"),
        pytest.param("abc", "", False, id="any other without type"),
        pytest.param("6cd5fxzrad0cu2j23p692xytz", "devpay", False, id="of another type"),
    ],
)
def test_a_product_code_is_known_by_its_type_or_as_red_hats(product_id, kind, is_one):
    assert is_marketplace_code(product_id, kind) == is_one


def test_what_is_excused_is_still_named():
    found = compare(facts({RHEL}, {RHEL_BYOL}, is_marketplace=True))

    assert (found.missing, found.unexpected) == ((RHEL,), (RHEL_BYOL,))


@pytest.mark.parametrize(
    ("expected", "actual", "rule", "severity", "title", "remedy"),
    [
        pytest.param(
            {RHEL},
            PLAIN,
            "AMI001",
            "high",
            "Billing code lost",
            create_again("Red Hat Enterprise Linux"),
            id="lost",
        ),
        pytest.param(
            {WINDOWS},
            "",
            "AMI001",
            "high",
            "Platform details empty",
            create_again("Windows"),
            id="lost, the field is empty",
        ),
        pytest.param(
            {RHEL_BYOL},
            PLAIN,
            "AMI001",
            "medium",
            "Billing code lost",
            create_again("Red Hat BYOL Linux"),
            id="a licence of one's own lost",
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD},
            {WINDOWS},
            "AMI002",
            "high",
            "SQL Server Standard missing",
            create_again("Windows with SQL Server Standard"),
            id="a part lost",
        ),
        pytest.param(
            {RHEL, RHEL_HA, SQL_STANDARD},
            {RHEL},
            "AMI002",
            "high",
            "RHEL HA and SQL Server Standard missing",
            create_again("Red Hat Enterprise Linux with SQL Server Standard and HA"),
            id="two parts lost",
        ),
        pytest.param(
            PLAIN, {RHEL}, "AMI003", "medium", "RHEL charged without need", ASK, id="extra"
        ),
        pytest.param(
            PLAIN,
            {WINDOWS},
            "AMI003",
            "medium",
            "Windows charged without need",
            ASK,
            id="extra, no conversion leads from Windows to Linux",
        ),
        pytest.param(
            {WINDOWS},
            {WINDOWS, SQL_WEB},
            "AMI003",
            "medium",
            "SQL Server Web charged without need",
            ASK,
            id="an edition too much",
        ),
        pytest.param(
            PLAIN,
            {RHEL_BYOL},
            "AMI003",
            "medium",
            "RHEL BYOL not expected",
            ASK,
            id="extra, yet free of charge",
        ),
        pytest.param(
            {RHEL},
            {SUSE},
            "AMI004",
            "high",
            "Wrong billing code",
            (*ASK, *create_again("Red Hat Enterprise Linux")),
            id="another system",
        ),
        pytest.param(
            {WINDOWS_BYOL},
            {WINDOWS},
            "AMI004",
            "high",
            "Wrong billing code",
            (*CONVERT_WINDOWS, *create_again("Windows BYOL")),
            id="Windows brought, yet paid",
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD},
            {WINDOWS_BYOL},
            "AMI004",
            "high",
            "Wrong billing code",
            (*CONVERT_WINDOWS, *create_again("Windows with SQL Server Standard")),
            id="Windows paid, yet brought",
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD},
            {WINDOWS, SQL_WEB},
            "AMI004",
            "high",
            "Wrong billing code",
            (*ASK, *create_again("Windows with SQL Server Standard")),
            id="another edition",
        ),
        pytest.param(
            {RHEL_BYOL},
            {RHEL},
            "AMI004",
            "high",
            "Wrong billing code",
            (*CONVERT_RHEL, *create_again("Red Hat BYOL Linux")),
            id="RHEL brought, yet paid",
        ),
        pytest.param(
            {RHEL},
            {RHEL_BYOL},
            "AMI004",
            "high",
            "Wrong billing code",
            (*CONVERT_RHEL, *create_again("Red Hat Enterprise Linux")),
            id="RHEL paid, yet brought",
        ),
        pytest.param(
            {RHEL, RHEL_HA},
            {RHEL_BYOL},
            "AMI004",
            "high",
            "Wrong billing code",
            (*ASK, *create_again("Red Hat Enterprise Linux with HA")),
            id="no conversion with the add-on",
        ),
    ],
)
def test_what_is_wrong_breaks_one_rule(expected, actual, rule, severity, title, remedy):
    (violation,) = judge(facts(expected, actual)).violations

    assert (violation.rule, violation.severity, violation.title) == (rule, severity, title)
    assert violation.remedy == remedy


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        pytest.param(
            {RHEL},
            PLAIN,
            "Billed as Linux/UNIX, expected Red Hat Enterprise Linux. Instances launched from it "
            "reach no update repositories and breach the terms of the license and use no Reserved "
            "Instance bought for it.",
            id="RHEL lost",
        ),
        pytest.param(
            {SUSE},
            "",
            "Billed as No platform details, expected SUSE Linux. Instances launched from it reach "
            "no update repositories and breach the terms of the license and use no Reserved "
            "Instance bought for it.",
            id="SUSE lost",
        ),
        pytest.param(
            {RHEL, SQL_WEB},
            PLAIN,
            "Billed as Linux/UNIX, expected Red Hat Enterprise Linux with SQL Server Web. "
            "Instances launched from it reach no update repositories and breach the terms of the "
            "license.",
            id="no Reserved Instance is sold for it",
        ),
        pytest.param(
            {WINDOWS},
            PLAIN,
            "Billed as Linux/UNIX, expected Windows. Instances launched from it breach the terms "
            "of the license and use no Reserved Instance bought for it.",
            id="Windows lost",
        ),
        pytest.param(
            {UBUNTU_PRO},
            PLAIN,
            "Billed as Linux/UNIX, expected Ubuntu Pro. Instances launched from it breach the "
            "terms of the license.",
            id="Ubuntu Pro lost",
        ),
        pytest.param(
            {RHEL_BYOL},
            PLAIN,
            "Billed as Linux/UNIX, expected Red Hat BYOL Linux.",
            id="a licence of one's own lost",
        ),
        pytest.param(
            {WINDOWS, SQL_STANDARD},
            {WINDOWS},
            "Billed as Windows, expected Windows with SQL Server Standard.",
            id="a part lost",
        ),
        pytest.param(PLAIN, {RHEL}, "Billed as Red Hat Enterprise Linux, expected Linux/UNIX."),
        pytest.param({RHEL}, {SUSE}, "Billed as SUSE Linux, expected Red Hat Enterprise Linux."),
    ],
)
def test_the_message_says_what_it_does_and_no_more(expected, actual, message):
    (violation,) = judge(facts(expected, actual)).violations

    assert violation.message == message


@pytest.mark.parametrize(
    ("expected", "actual", "fields"),
    [
        pytest.param({RHEL}, {RHEL}, {}, id="verified"),
        pytest.param(PLAIN, PLAIN, {}, id="verified as plain"),
        pytest.param({RHEL}, PLAIN, {"is_marketplace": True}, id="excused"),
        pytest.param(NOTHING, PLAIN, {}, id="no evidence"),
        pytest.param(NOTHING, "", {}, id="no evidence, the field is empty"),
        pytest.param({RHEL}, None, {}, id="never recorded"),
        pytest.param({RHEL}, {RHEL}, {"running": 7}, id="verified and in use"),
    ],
)
def test_what_is_right_or_not_known_breaks_none(expected, actual, fields):
    assert judge(facts(expected, actual, **fields)).violations == ()


@pytest.mark.parametrize(
    ("expected", "actual", "confidence", "running", "severity"),
    [
        pytest.param({RHEL}, PLAIN, "strong", 0, "high", id="lost"),
        pytest.param({RHEL}, PLAIN, "medium", 0, "high", id="lost, some evidence"),
        pytest.param({RHEL}, PLAIN, "weak", 0, "medium", id="lost, only a text says so"),
        pytest.param({RHEL}, PLAIN, "strong", 1, "critical", id="lost and in use"),
        pytest.param({RHEL}, PLAIN, "strong", 9, "critical", id="lost and much in use"),
        pytest.param({RHEL}, PLAIN, "weak", 9, "high", id="lost and in use, a text says so"),
        pytest.param({RHEL_BYOL}, PLAIN, "weak", 0, "low", id="one's own, a text says so"),
        pytest.param({RHEL_BYOL}, PLAIN, "strong", 1, "high", id="one's own and in use"),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, "weak", 0, "medium", id="partial, a text says so"),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, "strong", 2, "critical", id="partial and in use"),
        pytest.param(PLAIN, {RHEL}, "weak", 0, "low", id="extra, only a text says so"),
        pytest.param(PLAIN, {RHEL}, "strong", 1, "high", id="extra and in use"),
        pytest.param({RHEL}, {SUSE}, "weak", 0, "medium", id="wrong, only a text says so"),
        pytest.param({RHEL}, {SUSE}, "medium", 1, "critical", id="wrong and in use"),
    ],
)
def test_use_raises_the_severity_and_weak_evidence_lowers_it(
    expected, actual, confidence, running, severity
):
    (violation,) = judge(facts(expected, actual, confidence=confidence, running=running)).violations

    assert violation.severity == severity


@pytest.mark.parametrize(
    ("code", "is_broken"),
    [
        pytest.param("RunInstances:FFP-10", True, id="cannot be decoded"),
        pytest.param("RunInstances:1210", True, id="never published"),
        pytest.param("RunInstances:0018", True, id="an unknown bit"),
        pytest.param("RunInstances:0010", False, id="published"),
        pytest.param("RunInstances:0010:SV006", False, id="published, on Spot"),
        pytest.param("RunInstances", False, id="plain"),
        pytest.param("", False, id="left empty"),
        pytest.param(None, False, id="never recorded"),
    ],
)
def test_a_code_not_in_the_reference_is_told(code, is_broken):
    violations = judge(ImageFacts(code, running=3)).violations

    assert [(each.rule, each.severity) for each in violations] == [("AMI006", "low")] * is_broken


def test_a_code_not_in_the_reference_is_named():
    (violation,) = judge(ImageFacts("RunInstances:1210")).violations

    assert violation.title == "Code not in the reference"
    assert violation.message == (
        "AWS bills it with RunInstances:1210, which is not among the published codes."
    )
    assert violation.remedy == ("Ask AWS Support what the code stands for.",)


def test_an_image_may_break_several_rules():
    unpublished = facts({RHEL, RHEL_HA, SQL_STANDARD}, {RHEL_HA, SQL_STANDARD})

    found = [violation.rule for violation in judge(unpublished).violations]

    assert found == ["AMI002", "AMI006"]


def test_no_conversion_is_advised_for_a_mixture_of_systems():
    violation, *_ = judge(facts({WINDOWS_BYOL}, {WINDOWS, RHEL})).violations

    assert violation.remedy == (*ASK, *create_again("Windows BYOL"))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param({RHEL}, PLAIN, id="lost"),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, id="partial"),
        pytest.param({RHEL}, {SUSE}, id="wrong"),
    ],
)
def test_the_remedy_names_the_instance_to_start_from(expected, actual):
    (violation,) = judge(facts(expected, actual, source_instance_id="i-0ab")).violations

    assert [step for step in violation.remedy if "i-0ab" in step] == [
        "Create the AMI again with CreateImage from i-0ab: an instance passes its code on."
    ]


def test_a_rule_has_an_id_of_its_own():
    every = [
        facts({RHEL}, PLAIN),
        facts({RHEL, RHEL_HA}, {RHEL}),
        facts(PLAIN, {RHEL}),
        facts({RHEL}, {SUSE}),
        ImageFacts("RunInstances:1210"),
    ]

    found = [violation.rule for each in every for violation in judge(each).violations]

    assert found == ["AMI001", "AMI002", "AMI003", "AMI004", "AMI006"]
    assert len(RULES) == len(found)


@given(
    expected=st.sampled_from(PUBLISHED), actual=st.sampled_from(PUBLISHED), running=st.integers(0)
)
def test_a_verdict_says_exactly_what_the_sets_say(expected, actual, running):
    judgment = judge(ImageFacts(actual, expected_as(expected), running=running))

    wanted, found = parts(expected) or PLAIN, parts(actual) or PLAIN
    missing, extra = wanted - found, found - wanted
    assert set(judgment.comparison.missing) == missing
    assert set(judgment.comparison.unexpected) == extra
    assert (judgment.comparison.verdict == "ok") == (wanted == found)
    assert (judgment.comparison.verdict == "lost") == (bool(missing) and not found)
    assert (judgment.comparison.verdict == "wrong") == (bool(missing) and bool(extra))
    assert (judgment.comparison.verdict == "unexpected") == (wanted < found)
    assert (judgment.comparison.verdict == "partial") == (
        bool(missing) and bool(found) and not extra
    )
    assert len(judgment.violations) == (wanted != found)
