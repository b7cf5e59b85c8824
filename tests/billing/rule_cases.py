"""Tables of what the rules must say, and one function that holds the rules against them.

The rules are handed in: the tests of the mutants hand in rules with a fault.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registry.billing.clues import Expectation, Link
from registry.billing.codes import (
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_ENTERPRISE,
    SQL_STANDARD,
    SQL_WEB,
    SUSE,
    UBUNTU_PRO,
    WINDOWS,
    WINDOWS_BYOL,
    compose,
    label,
)

PLAIN, NOTHING = frozenset[str](), None
RED_HAT_PRODUCT = "6cd5fxzrad0cu2j23p692xytz"


@dataclass(frozen=True)
class Case:
    """Facts, the rules that they break with the severity of each, and words in what is said."""

    name: str
    facts: Mapping[str, Any]
    breaks: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    name: str
    facts: Mapping[str, Any]
    verdict: str
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()


def code_of(licences: Any) -> str | None:
    """Return the code of a set of licences; a text or None is the code itself."""
    return licences if licences is None or isinstance(licences, str) else compose(licences)


def expected_as(code: str | None, confidence: str = "strong") -> Expectation:
    if code is None:
        return Expectation(None, "", "none", "none", ())
    return Expectation(code, label(code), confidence, "instance", ())


def facts(expected: Any, actual: Any, confidence: str = "strong", **fields: Any) -> dict[str, Any]:
    expectation = expected_as(code_of(expected), confidence)
    return {"usage_operation": code_of(actual), "expectation": expectation} | fields


def parent(licences: Any, **fields: Any) -> Link:
    defaults = {"kind": "image", "aws_id": "ami-parent", "how": "It descends from"}
    return Link(**defaults | {"usage_operation": code_of(licences)} | fields)


def original(licences: Any, **fields: Any) -> Link:
    return parent(licences, how="It is a copy of", is_copy=True, **fields)


def source(licences: Any, **fields: Any) -> Link:
    how = "It was created from"
    return parent(licences, kind="instance", aws_id="i-source", how=how, **fields)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


def instance(image: Any, its: Any, **fields: Any) -> dict[str, Any]:
    codes = {"image_usage_operation": code_of(image), "usage_operation": code_of(its)}
    return codes | {"image_id": "ami-0ab"} | fields


AGAIN = (
    "an instance passes its code on.",
    "Replace the instances that were launched from this AMI. An instance keeps its code.",
    "Discard this AMI. The billing code of an AMI can't be edited.",
)
DECIDE = "Find out which of the two is right: the code, or what the AMI is expected to be."
CONVERT = "Convert the license of its instances with License Manager. They must be stopped for it."
OWN_MEDIA = "Only instances launched from your own media can change to a license of your own."
SUBSCRIBED = "For a license of your own, the Red Hat subscription must be there first."
NO_WAY = "AWS lists no license conversion from"
REPOSITORIES, BREACH = "reach no update repositories", "breach the terms of the license"
RESERVED = "use no Reserved Instance bought for it"
DOUBT = "says that instances of such an AMI do not launch"

VERDICTS = (
    Verdict("plain as expected", facts(PLAIN, PLAIN), "ok"),
    Verdict("a licence as expected", facts({RHEL}, {RHEL}), "ok"),
    Verdict("on Spot", facts({RHEL}, "RunInstances:0010:SV006"), "ok"),
    Verdict("lost", facts({RHEL}, PLAIN), "lost", (RHEL,)),
    Verdict("lost, the field is empty", facts({RHEL}, ""), "lost", (RHEL,)),
    Verdict("one's own lost", facts({RHEL_BYOL}, PLAIN), "lost", (RHEL_BYOL,)),
    Verdict("two lost", facts({RHEL, RHEL_HA}, PLAIN), "lost", (RHEL, RHEL_HA)),
    Verdict("SQL lost", facts({WINDOWS, SQL_WEB}, {WINDOWS}), "partial", (SQL_WEB,)),
    Verdict("Windows lost", facts({WINDOWS, SQL_WEB}, {SQL_WEB}), "partial", (WINDOWS,)),
    Verdict("HA lost", facts({RHEL, RHEL_HA}, {RHEL}), "partial", (RHEL_HA,)),
    Verdict("a licence on plain Linux", facts(PLAIN, {RHEL}), "unexpected", (), (RHEL,)),
    Verdict("an add-on", facts({RHEL}, {RHEL, RHEL_HA}), "unexpected", (), (RHEL_HA,)),
    Verdict("another system", facts({RHEL}, {SUSE}), "wrong", (RHEL,), (SUSE,)),
    Verdict(
        "brought, yet paid", facts({WINDOWS_BYOL}, {WINDOWS}), "wrong", (WINDOWS_BYOL,), (WINDOWS,)
    ),
    Verdict(
        "another edition",
        facts({WINDOWS, SQL_STANDARD}, {WINDOWS, SQL_WEB}),
        "wrong",
        (SQL_STANDARD,),
        (SQL_WEB,),
    ),
    Verdict("a code never recorded", facts({RHEL}, None), "unknown"),
    Verdict("nothing expected", facts(NOTHING, {RHEL}), "unknown"),
    Verdict("nothing expected, the field is empty", facts(NOTHING, ""), "unknown"),
    Verdict("nothing at all", facts(NOTHING, None), "unknown"),
    Verdict("plain expected, the field is empty", facts(PLAIN, ""), "unknown"),
    Verdict("plain expected, never recorded", facts(PLAIN, None), "unknown"),
    Verdict("cannot be decoded", facts({RHEL}, "RunInstances:FFP-10"), "unknown"),
    Verdict("no code at all", facts({RHEL}, "x"), "unknown"),
    Verdict("an unknown bit", facts({RHEL}, "RunInstances:0018"), "unknown", (), ("bit 3",)),
    Verdict(
        "an unknown bit instead",
        facts({RHEL}, "RunInstances:0008"),
        "unknown",
        (RHEL,),
        ("bit 3",),
    ),
    *(
        Verdict(
            f"sold on the Marketplace: {name}",
            facts(expected, actual, is_marketplace=True),
            verdict,
            missing,
            unexpected,
        )
        for name, expected, actual, verdict, missing, unexpected in (
            ("Red Hat", {RHEL}, PLAIN, "excused", (RHEL,), ()),
            ("billed as brought", {RHEL}, {RHEL_BYOL}, "excused", (RHEL,), (RHEL_BYOL,)),
            ("with the add-on", {RHEL, RHEL_HA}, PLAIN, "excused", (RHEL, RHEL_HA), ()),
            ("SUSE for SAP", {SUSE}, PLAIN, "excused", (SUSE,), ()),
            ("Ubuntu Pro", {UBUNTU_PRO}, PLAIN, "excused", (UBUNTU_PRO,), ()),
            ("the field is empty", {RHEL}, "", "excused", (RHEL,), ()),
            ("as expected", {RHEL}, {RHEL}, "ok", (), ()),
            ("plain as expected", PLAIN, PLAIN, "ok", (), ()),
            ("a charge", PLAIN, {RHEL}, "unexpected", (), (RHEL,)),
            ("one's own unexpected", PLAIN, {RHEL_BYOL}, "unexpected", (), (RHEL_BYOL,)),
            ("a part", {RHEL, RHEL_HA}, {RHEL}, "partial", (RHEL_HA,), ()),
            ("another system", {RHEL}, {SUSE}, "wrong", (RHEL,), (SUSE,)),
            ("Windows brought", {RHEL}, {WINDOWS_BYOL}, "wrong", (RHEL,), (WINDOWS_BYOL,)),
            ("Windows", {WINDOWS}, PLAIN, "lost", (WINDOWS,), ()),
            ("Windows of one's own", {WINDOWS_BYOL}, PLAIN, "lost", (WINDOWS_BYOL,), ()),
            ("and SQL Server", {WINDOWS, SQL_WEB}, PLAIN, "lost", (WINDOWS, SQL_WEB), ()),
            ("never recorded", {RHEL}, None, "unknown", (), ()),
            ("no evidence", NOTHING, PLAIN, "unknown", (), ()),
        )
    ),
    *(
        Verdict(
            f"sold beside a product code: {name}",
            facts(expected, actual, is_marketplace=True, sold_with=frozenset(sold_with)),
            verdict,
            tuple(name for name in (RHEL, RHEL_BYOL, RHEL_HA, SUSE) if name in expected),
            tuple(actual) if actual else (),
        )
        for name, expected, actual, sold_with, verdict in (
            ("RHEL for SAP", {RHEL}, PLAIN, {RHEL}, "lost"),
            ("the field is empty", {RHEL}, "", {RHEL}, "lost"),
            ("with the add-on", {RHEL, RHEL_HA}, PLAIN, {RHEL, RHEL_HA}, "lost"),
            ("one's own", {RHEL_BYOL}, PLAIN, {RHEL_BYOL}, "excused"),
            ("billed as brought", {RHEL}, {RHEL_BYOL}, {RHEL}, "excused"),
            ("another licence", {SUSE}, PLAIN, {RHEL}, "excused"),
        )
    ),
)

CODES = (
    # AMI001
    Case(
        "RHEL lost",
        facts({RHEL}, PLAIN),
        {"AMI001": "high"},
        (
            "Billing code lost",
            (
                "Billed as Linux/UNIX, expected Red Hat Enterprise Linux. Instances launched from "
                f"it {REPOSITORIES}, {BREACH} and {RESERVED}."
            ),
            (
                "Create the AMI again with CreateImage from an instance that is billed as Red Hat "
                "Enterprise Linux: "
            ),
            *AGAIN,
        ),
    ),
    Case(
        "SUSE lost, the field is empty",
        facts({SUSE}, ""),
        {"AMI001": "high"},
        (
            "Platform details empty",
            "Billed with empty platform details, expected SUSE Linux.",
            REPOSITORIES,
            BREACH,
            RESERVED,
        ),
        ("Billing code lost",),
    ),
    Case(
        "RHEL with SQL Server lost, for which no Reserved Instance is sold",
        facts({RHEL, SQL_WEB}, PLAIN),
        {"AMI001": "high"},
        (REPOSITORIES,),
        (RESERVED,),
    ),
    Case("Windows lost", facts({WINDOWS}, PLAIN), {"AMI001": "high"}, (RESERVED,), (REPOSITORIES,)),
    Case("Ubuntu Pro lost", facts({UBUNTU_PRO}, PLAIN), {"AMI001": "high"}, (f"it {BREACH}.",)),
    Case(
        "one's own lost",
        facts({RHEL_BYOL}, PLAIN),
        {"AMI001": "medium"},
        ("Billed as Linux/UNIX, expected Red Hat BYOL Linux.",),
        (BREACH,),
    ),
    Case("one's own lost, says a text", facts({RHEL_BYOL}, PLAIN, "weak"), {"AMI001": "low"}),
    Case("lost, says a text", facts({RHEL}, PLAIN, "weak"), {"AMI001": "medium"}),
    Case("lost, some evidence", facts({RHEL}, PLAIN, "medium"), {"AMI001": "high"}),
    Case(
        "lost, and it is known where to start from",
        facts({RHEL}, PLAIN, source_instance_id="i-0ab"),
        {"AMI001": "high"},
        ("Create the AMI again with CreateImage from i-0ab: ",),
        ("an instance that is billed as",),
    ),
    # AMI002
    Case(
        "SQL Server missing",
        facts({WINDOWS, SQL_STANDARD}, {WINDOWS}),
        {"AMI002": "high"},
        (
            "SQL Server Standard missing",
            "Billed as Windows, expected Windows with SQL Server Standard.",
            *AGAIN,
        ),
    ),
    Case(
        "two parts missing",
        facts({RHEL, RHEL_HA, SQL_STANDARD}, {RHEL}),
        {"AMI002": "high"},
        ("RHEL HA and SQL Server Standard missing",),
    ),
    Case("partial, says a text", facts({RHEL, RHEL_HA}, {RHEL}, "weak"), {"AMI002": "medium"}),
    Case(
        "partial, and never published",
        facts({RHEL, RHEL_HA, SQL_WEB}, {RHEL_HA, SQL_WEB}),
        {"AMI002": "high", "AMI006": "low"},
    ),
    # AMI003
    Case(
        "charged without need",
        facts(PLAIN, {RHEL}),
        {"AMI003": "medium"},
        (
            "RHEL charged without need",
            "Billed as Red Hat Enterprise Linux, expected Linux/UNIX.",
            DECIDE,
            "Create the AMI again from an instance with the right code, then discard this one.",
        ),
    ),
    Case(
        "extra, yet free of charge",
        facts(PLAIN, {RHEL_BYOL}),
        {"AMI003": "medium"},
        ("RHEL BYOL not expected",),
    ),
    Case(
        "an edition and more",
        facts(PLAIN, {WINDOWS, SQL_WEB}),
        {"AMI003": "medium"},
        ("Windows and SQL Server Web charged without need",),
    ),
    Case("extra, says a text", facts(PLAIN, {RHEL}, "weak"), {"AMI003": "low"}),
    # AMI004
    Case(
        "another system",
        facts({RHEL}, {SUSE}),
        {"AMI004": "high"},
        ("Wrong billing code", "Billed as SUSE Linux, expected Red Hat", DECIDE, *AGAIN),
    ),
    Case("another system, says a text", facts({RHEL}, {SUSE}, "weak"), {"AMI004": "medium"}),
    Case(
        "a mixture of systems",
        facts({WINDOWS_BYOL}, {WINDOWS, RHEL}),
        {"AMI004": "high", "AMI006": "low"},
        (DECIDE,),
        (CONVERT,),
    ),
    Case("own of another family", facts({RHEL_BYOL}, {WINDOWS}), {"AMI004": "high"}),
    Case("own instead of another family", facts({WINDOWS}, {RHEL_BYOL}), {"AMI004": "high"}),
    Case("own system missing", facts({WINDOWS_BYOL}, {SQL_WEB}), {"AMI004": "high"}),
    Case("paid system missing", facts({WINDOWS}, {SQL_WEB}), {"AMI004": "high"}),
    Case("both own", facts({WINDOWS_BYOL}, {RHEL_BYOL}), {"AMI004": "high"}),
    Case("a mixture, expected paid", facts({RHEL, SUSE}, {RHEL_BYOL}), {"AMI004": "high"}),
    # AMI005
    Case(
        "empty, nothing expected",
        facts(NOTHING, ""),
        {"AMI005": "medium"},
        (
            "Platform details empty",
            "AWS left the platform details of this AMI empty.",
            "Create the AMI again with CreateImage from an instance whose billing code is right.",
            AGAIN[-1],
        ),
    ),
    Case("empty, plain expected", facts(PLAIN, ""), {"AMI005": "medium"}),
    Case("empty, plain expected by a text", facts(PLAIN, "", "weak"), {"AMI005": "medium"}),
    Case("empty, with a product code", facts(NOTHING, "", is_marketplace=True)),
    Case("empty, excused", facts({RHEL}, "", is_marketplace=True)),
    Case("empty, in use", facts(NOTHING, "", running=1), {"AMI005": "high"}),
    # AMI006
    Case(
        "cannot be decoded",
        facts(NOTHING, "RunInstances:FFP-10", running=3, idle_purchases=1),
        {"AMI006": "low"},
        (
            "Code not in the reference",
            "AWS bills it with RunInstances:FFP-10, which is not among the published codes.",
            "Ask AWS Support what the code stands for.",
        ),
    ),
    Case("never published", facts(NOTHING, "RunInstances:1210"), {"AMI006": "low"}),
    Case("an unknown bit", facts({RHEL}, "RunInstances:0018"), {"AMI006": "low"}),
    Case("published, on Spot", facts(NOTHING, "RunInstances:0010:SV006")),
    # AMI007
    Case(
        "own Windows, yet paid",
        facts({WINDOWS_BYOL}, {WINDOWS}),
        {"AMI007": "medium"},
        (
            "License of your own, yet charged",
            (
                "Billed as Windows, expected Windows BYOL. Instances launched from it pay AWS "
                "for a license that you bring."
            ),
            f"{CONVERT} {OWN_MEDIA}",
            "Create the AMI again from a converted instance, then discard this one.",
            *AGAIN,
        ),
        (DECIDE, "4 vCPUs"),
    ),
    Case(
        "own RHEL, yet paid",
        facts({RHEL_BYOL}, {RHEL}),
        {"AMI007": "medium"},
        (f"{CONVERT} {SUBSCRIBED}",),
        (OWN_MEDIA, "that it knows of"),
    ),
    Case(
        "own Windows, paid with SQL Server",
        facts({WINDOWS_BYOL}, {WINDOWS, SQL_WEB}),
        {"AMI007": "medium"},
        (OWN_MEDIA,),
        ("4 vCPUs",),
    ),
    Case(
        "own RHEL, paid with the add-on",
        facts({RHEL_BYOL}, {RHEL, RHEL_HA}),
        {"AMI007": "medium"},
        (
            f"{NO_WAY} Red Hat Enterprise Linux with HA to Red Hat BYOL Linux.",
            DECIDE,
        ),
        (CONVERT,),
    ),
    Case("own, paid, says a text", facts({RHEL_BYOL}, {RHEL}, "weak"), {"AMI007": "low"}),
    # AMI008
    Case(
        "paid Windows, yet own",
        facts({WINDOWS, SQL_STANDARD}, {WINDOWS_BYOL}),
        {"AMI008": "high"},
        (
            "Billed as a license of your own",
            "Instances launched from it need a license of your own.",
            f"{CONVERT} SQL Server of AWS needs at least 4 vCPUs, and no Dedicated Host.",
            *AGAIN,
        ),
        (OWN_MEDIA,),
    ),
    Case(
        "paid RHEL, yet own",
        facts({RHEL}, {RHEL_BYOL}),
        {"AMI008": "high"},
        (f"{CONVERT} AWS converts it only from a Red Hat subscription that it knows of.",),
        (SUBSCRIBED,),
    ),
    Case(
        "paid RHEL with the add-on, yet own",
        facts({RHEL, RHEL_HA}, {RHEL_BYOL}),
        {"AMI008": "high"},
        (NO_WAY, DECIDE),
        (CONVERT,),
    ),
    Case("paid, yet own, says a text", facts({RHEL}, {RHEL_BYOL}, "weak"), {"AMI008": "medium"}),
    # AMI009
    Case(
        "another edition",
        facts({WINDOWS, SQL_STANDARD}, {WINDOWS, SQL_ENTERPRISE}),
        {"AMI009": "high"},
        ("Another edition of SQL Server", f"{NO_WAY} Windows with SQL Server Ent", DECIDE, *AGAIN),
        (CONVERT,),
    ),
    Case("another edition on Linux", facts({SQL_WEB}, {SQL_STANDARD}), {"AMI009": "high"}),
    Case(
        "an edition too much",
        facts({WINDOWS}, {WINDOWS, SQL_WEB}),
        {"AMI009": "medium"},
        ("SQL Server Web charged without need", NO_WAY, DECIDE),
        ("Another edition", AGAIN[0]),
    ),
    Case(
        "another edition, says a text",
        facts({WINDOWS, SQL_STANDARD}, {WINDOWS, SQL_WEB}, "weak"),
        {"AMI009": "medium"},
    ),
    Case(
        "three editions",
        facts({SQL_STANDARD, SQL_WEB}, {SQL_ENTERPRISE}),
        {"AMI009": "high"},
    ),
    Case(
        "own, paid with every edition and the add-on",
        facts({RHEL_BYOL}, {RHEL, RHEL_HA, SQL_STANDARD, SQL_WEB, SQL_ENTERPRISE}),
        {"AMI007": "medium", "AMI006": "low"},
    ),
    Case(
        "paid with every edition, yet own",
        facts({WINDOWS, SQL_STANDARD, SQL_WEB, SQL_ENTERPRISE}, {WINDOWS_BYOL}),
        {"AMI008": "high"},
    ),
    Case("an edition lost", facts({SQL_WEB}, PLAIN), {"AMI001": "high"}),
    # silence
    Case("verified", facts({RHEL}, {RHEL})),
    Case("verified as plain", facts(PLAIN, PLAIN)),
    Case("verified and in use", facts({RHEL}, {RHEL}, running=7, idle_purchases=1)),
    Case("excused and in use", facts({RHEL}, PLAIN, is_marketplace=True, running=7)),
    Case("excused, billed as brought", facts({RHEL}, {RHEL_BYOL}, is_marketplace=True)),
    Case("no evidence", facts(NOTHING, PLAIN, running=7)),
    Case("never recorded", facts({RHEL}, None, running=7)),
    Case("never recorded, nothing expected", facts(NOTHING, None, running=7)),
)

ORIGINS = (
    # AMI010
    Case(
        "unlike its source instance",
        facts(PLAIN, PLAIN, parent=source({RHEL})),
        {"AMI010": "medium"},
        (
            "Billed unlike its parent",
            (
                "Billed as Linux/UNIX. It was created from i-source, which is billed as Red Hat "
                "Enterprise Linux. Nothing that is recorded explains it."
            ),
            "Find out which of the two is right: this AMI, or i-source.",
        ),
    ),
    Case(
        "unlike a plain instance", facts({RHEL}, {RHEL}, parent=source(PLAIN)), {"AMI010": "medium"}
    ),
    Case("unlike its parent", facts({SUSE}, {SUSE}, parent=parent({RHEL})), {"AMI010": "medium"}),
    Case(
        "unlike it, none expected",
        facts(NOTHING, PLAIN, parent=parent({RHEL})),
        {"AMI010": "medium"},
    ),
    Case(
        "unlike it, in use",
        facts(PLAIN, PLAIN, parent=source({RHEL}), running=1),
        {"AMI010": "high"},
    ),
    Case("no parent", facts(PLAIN, PLAIN, parent=None)),
    Case("like its parent", facts({RHEL}, {RHEL}, parent=parent("RunInstances:0010:SV006"))),
    Case(
        "its parent is read from a text",
        facts(PLAIN, PLAIN, parent=source({RHEL}, is_recorded=False)),
    ),
    Case("its parent's code is not known", facts(PLAIN, PLAIN, parent=source(None))),
    Case("its parent's code is empty", facts(PLAIN, PLAIN, parent=source(""))),
    Case("its own code is not known", facts(NOTHING, None, parent=source({RHEL}))),
    Case(
        "it cannot be decoded",
        facts(NOTHING, "RunInstances:FFP-1", parent=source({RHEL})),
        {"AMI006": "low"},
    ),
    Case("its own code is empty", facts(PLAIN, "", parent=source({RHEL})), {"AMI005": "medium"}),
    Case("an unknown bit differs", facts(NOTHING, {RHEL}, parent=source("RunInstances:0018"))),
    Case(
        "an unknown bit is on both",
        facts(NOTHING, "RunInstances:0018", parent=source("RunInstances:000o")),
        {"AMI006": "low", "AMI010": "medium"},
    ),
    Case("a product explains it", facts(PLAIN, PLAIN, parent=source({RHEL}), is_marketplace=True)),
    Case("the verdict says it", facts({RHEL}, PLAIN, parent=source({RHEL})), {"AMI001": "high"}),
    Case(
        "the instance has changed since",
        facts(PLAIN, PLAIN, parent=source({RHEL}, has_changed=True)),
    ),
    Case(
        "the instance may have been converted since",
        facts({RHEL}, {RHEL}, parent=source({RHEL_BYOL}, may_have_changed=True)),
    ),
    Case(
        "the instance may have changed, yet there is no such conversion",
        facts({SUSE}, {SUSE}, parent=source({RHEL}, may_have_changed=True)),
        {"AMI010": "medium"},
    ),
    Case(
        "it was converted from plain since, and not the other way",
        facts(PLAIN, PLAIN, parent=source({UBUNTU_PRO}, may_have_changed=True)),
    ),
    Case(
        "there is no way back from Ubuntu Pro",
        facts({UBUNTU_PRO}, {UBUNTU_PRO}, parent=source(PLAIN, may_have_changed=True)),
        {"AMI010": "medium"},
    ),
    Case("an instance in between was converted", facts({RHEL}, {RHEL}, parent=parent({RHEL_BYOL}))),
    Case("its parent may have lost its code", facts({SUSE}, {SUSE}, parent=parent(PLAIN))),
    # AMI011
    Case(
        "unlike its original",
        facts(PLAIN, PLAIN, parent=original({RHEL})),
        {"AMI011": "medium"},
        (
            "Copy billed unlike its original",
            "It is a copy of ami-parent, which is billed as Red Hat Enterprise Linux. A copy",
            "Find out whether the code of the original, ami-parent, is right.",
            AGAIN[-1],
        ),
    ),
    Case("a plain original", facts({RHEL}, {RHEL}, parent=original(PLAIN)), {"AMI011": "medium"}),
    Case(
        "a copy is not converted",
        facts({RHEL}, {RHEL}, parent=original({RHEL_BYOL})),
        {"AMI011": "medium"},
    ),
    Case("like its original", facts({RHEL}, {RHEL}, parent=original({RHEL}))),
    Case(
        "an original from a text", facts(PLAIN, PLAIN, parent=original({RHEL}, is_recorded=False))
    ),
    Case("a lost copy", facts({RHEL}, PLAIN, parent=original({RHEL})), {"AMI001": "high"}),
    Case("an excused copy", facts({RHEL}, PLAIN, parent=original({RHEL}), is_marketplace=True)),
    # AMI014
    Case(
        "Windows from a snapshot",
        facts({WINDOWS}, {WINDOWS}, made_by="RegisterImage"),
        {"AMI014": "medium"},
        (
            "Windows registered from a snapshot",
            (
                "AWS documents the registration of snapshots for Linux. An older guide, of 2019, "
                f"{DOUBT}."
            ),
            "Launch an instance from it and check that it starts",
        ),
    ),
    Case(
        "Windows from a snapshot, in use",
        facts({WINDOWS}, {WINDOWS}, made_by="RegisterImage", running=1, idle_purchases=1),
        {"AMI014": "low"},
        ("Instances of it run, so it can be launched.",),
        (DOUBT,),
    ),
    Case(
        "own Windows", facts(NOTHING, {WINDOWS_BYOL}, made_by="RegisterImage"), {"AMI014": "medium"}
    ),
    Case(
        "by its Platform alone",
        facts(NOTHING, PLAIN, made_by="RegisterImage", platform="Windows"),
        {"AMI014": "medium"},
    ),
    Case(
        "expected to be Windows",
        facts({WINDOWS}, None, made_by="RegisterImage"),
        {"AMI014": "medium"},
    ),
    Case("Windows says a text", facts({WINDOWS}, None, "weak", made_by="RegisterImage")),
    Case("Linux from a snapshot", facts({RHEL}, {RHEL}, made_by="RegisterImage")),
    Case("nothing known of it", facts(NOTHING, None, made_by="RegisterImage")),
    Case("Windows from an instance", facts({WINDOWS}, {WINDOWS}, made_by="CreateImage")),
    Case("Windows, made somehow", facts({WINDOWS}, {WINDOWS}, platform="windows")),
    Case("a vendor's", facts({WINDOWS}, {WINDOWS}, made_by="RegisterImage", is_vendors=True)),
)

BAD = "Instances run on an image with a wrong code"
USES = (
    # AMI012, and how use raises the others
    Case(
        "lost, and one runs",
        facts({RHEL}, PLAIN, running=1),
        {"AMI001": "critical", "AMI012": "high"},
        (
            BAD,
            (
                "1 running instance was launched from it. Unless converted since, they are billed "
                "as Linux/UNIX; expected is Red Hat Enterprise Linux."
            ),
            f"{NO_WAY} Linux/UNIX to Red Hat Enterprise Linux.",
            "Replace the instances with ones launched from an AMI with the right code.",
        ),
        (CONVERT,),
    ),
    Case(
        "lost, and many run",
        facts({SUSE}, PLAIN, running=9),
        {"AMI001": "critical", "AMI012": "high"},
        ("9 running instances were launched", NO_WAY),
    ),
    Case(
        "empty, and many run",
        facts({UBUNTU_PRO}, "", running=2),
        {"AMI001": "critical", "AMI012": "high"},
        (
            "they are billed with empty platform details; expected is Ubuntu Pro.",
            f"{NO_WAY} empty platform details to Ubuntu Pro.",
        ),
        (CONVERT,),
    ),
    Case(
        "Ubuntu Pro lost, and in use",
        facts({UBUNTU_PRO}, PLAIN, running=2),
        {"AMI001": "critical", "AMI012": "high"},
        (f"{CONVERT} That is for Ubuntu LTS, and the way back leads through AWS Support.",),
        (NO_WAY,),
    ),
    Case(
        "own RHEL lost, and in use",
        facts({RHEL_BYOL}, PLAIN, running=2),
        {"AMI001": "high", "AMI012": "medium"},
        (NO_WAY,),
    ),
    Case(
        "lost and in use, says a text",
        facts({RHEL}, PLAIN, "weak", running=9),
        {"AMI001": "high", "AMI012": "medium"},
    ),
    Case(
        "own lost and in use, says a text",
        facts({RHEL_BYOL}, PLAIN, "weak", running=9),
        {"AMI001": "medium", "AMI012": "low"},
    ),
    Case(
        "partial and in use",
        facts({RHEL, RHEL_HA}, {RHEL}, running=2),
        {"AMI002": "critical", "AMI012": "high"},
    ),
    Case(
        "SQL Server missing and in use",
        facts({WINDOWS, SQL_WEB}, {WINDOWS}, running=2),
        {"AMI002": "critical", "AMI012": "high"},
        (CONVERT, "4 vCPUs"),
    ),
    Case(
        "extra and in use",
        facts(PLAIN, {RHEL}, running=1),
        {"AMI003": "high", "AMI012": "medium"},
    ),
    Case(
        "wrong and in use",
        facts({RHEL}, {SUSE}, running=1),
        {"AMI004": "critical", "AMI012": "high"},
    ),
    Case(
        "own, paid and in use",
        facts({WINDOWS_BYOL}, {WINDOWS}, running=1),
        {"AMI007": "high", "AMI012": "medium"},
    ),
    Case(
        "paid, own and in use",
        facts({WINDOWS}, {WINDOWS_BYOL}, running=1),
        {"AMI008": "critical", "AMI012": "high"},
    ),
    Case(
        "an edition too much and in use",
        facts({WINDOWS}, {WINDOWS, SQL_WEB}, running=1),
        {"AMI009": "high", "AMI012": "medium"},
    ),
    Case("idle purchases", facts(PLAIN, {RHEL}, idle_purchases=1), {"AMI003": "high"}),
    Case("many of them", facts(PLAIN, {RHEL}, idle_purchases=9), {"AMI003": "high"}),
    Case("for long, yet unused", facts(PLAIN, {RHEL}, age_days=900), {"AMI003": "medium"}),
    Case(
        "used for 90 days",
        facts(PLAIN, {RHEL}, running=1, age_days=90),
        {"AMI003": "high", "AMI012": "medium"},
    ),
    Case(
        "used for longer",
        facts(PLAIN, {RHEL}, running=1, age_days=91),
        {"AMI003": "critical", "AMI012": "medium"},
    ),
    Case(
        "all of it",
        facts(PLAIN, {RHEL}, running=9, age_days=900, idle_purchases=9),
        {"AMI003": "critical", "AMI012": "medium"},
    ),
    Case(
        "raised from the lowest",
        facts(PLAIN, {RHEL}, "weak", running=1, idle_purchases=1),
        {"AMI003": "high", "AMI012": "low"},
    ),
    Case(
        "an original, in use",
        facts(PLAIN, PLAIN, parent=original({RHEL}), running=1),
        {"AMI011": "high"},
    ),
    # AMI013
    Case(
        "gone, and one runs",
        facts({RHEL}, {RHEL}, is_gone=True, running=1),
        {"AMI013": "medium"},
        (
            "Instances run on an image that is gone",
            "1 running instance was launched from it. Nothing can be launched from it again: ",
            "Look for it in the Recycle Bin, if a retention rule keeps AMIs there.",
            "Create an AMI with CreateImage from one of its instances.",
            "Name the new AMI in the launch templates and Auto Scaling groups.",
        ),
        ("Its billing code was wrong",),
    ),
    *(
        Case(
            f"gone, and was {verdict}",
            facts(NOTHING, PLAIN, is_gone=True, running=2, verdict_before=verdict),
            {"AMI013": "high"},
            (
                "Its billing code was wrong when it was last seen.",
                "Do not create an AMI from these instances: they keep the wrong code.",
                "Create an AMI with CreateImage from an instance with the right code.",
            ),
            ("Recycle Bin", "one of its instances"),
        )
        for verdict in ("lost", "partial", "unexpected", "wrong")
    ),
    *(
        Case(
            f"gone, and was {verdict or 'never judged'}",
            facts(
                NOTHING, PLAIN, is_gone=True, running=2, idle_purchases=1, verdict_before=verdict
            ),
            {"AMI013": "medium"},
        )
        for verdict in ("", "ok", "excused", "unknown")
    ),
    Case("gone and unused", facts({RHEL}, PLAIN, is_gone=True)),
    Case(
        "gone breaks no other rule",
        facts(
            {WINDOWS},
            PLAIN,
            is_gone=True,
            made_by="RegisterImage",
            is_marketplace=True,
            is_shared=True,
        ),
    ),
    # AMI015
    Case(
        "a product that others may launch",
        facts({RHEL}, {RHEL}, is_marketplace=True, is_shared=True, running=1, idle_purchases=1),
        {"AMI015": "medium"},
        ("Marketplace product on a shared image", "AWS lets no AMI with such a code be public."),
    ),
    Case("a product for oneself", facts({RHEL}, {RHEL}, is_marketplace=True, is_shared=False)),
    Case("permissions not read", facts({RHEL}, {RHEL}, is_marketplace=True, is_shared=None)),
    Case("shared without product", facts({RHEL}, {RHEL}, is_shared=True)),
    Case(
        "a vendor's product",
        facts({RHEL}, {RHEL}, is_marketplace=True, is_shared=True, is_vendors=True),
    ),
)

UNCHANGED = {"launched_at": at(9), "updated_at": at(9)}
CONVERTED = {"launched_at": at(9), "updated_at": at(10, 5)}
INSTANCES = (
    Case(
        "converted",
        instance({RHEL_BYOL}, {RHEL}, **CONVERTED),
        {"INS001": "low"},
        (
            "License converted since launch",
            (
                "Billed as Red Hat Enterprise Linux, its AMI ami-0ab as Red Hat BYOL Linux. Its "
                "code was changed on 2026-11-20 at 10:05 UTC, after it was launched: a license "
                "conversion. AWS lists this one."
            ),
            "Check that the conversion was meant.",
            "create an AMI from the instance with CreateImage",
        ),
        ("AWS Support",),
    ),
    Case(
        "converted in a way that is not listed",
        instance({RHEL}, {SUSE}, **CONVERTED),
        {"INS001": "low"},
        ("AWS does not list this one.", "Ask AWS Support how it came about."),
    ),
    Case(
        "plain Linux to RHEL",
        instance(PLAIN, {RHEL}, **CONVERTED),
        {"INS001": "low"},
        ("AWS does not list this one.",),
    ),
    Case(
        "the same, sold by Red Hat",
        instance(PLAIN, {RHEL}, product_codes=frozenset({RED_HAT_PRODUCT}), **CONVERTED),
        {"INS001": "low"},
        ("AWS lists this one.",),
    ),
    Case(
        "plain Linux to Ubuntu Pro",
        instance(PLAIN, {UBUNTU_PRO}, **CONVERTED),
        {"INS001": "low"},
        ("AWS lists this one.",),
    ),
    Case(
        "Windows",
        instance({WINDOWS_BYOL}, {WINDOWS, SQL_WEB}, **CONVERTED),
        {"INS001": "low"},
        ("AWS lists this one.",),
    ),
    Case(
        "started again since, and first seen before",
        instance({RHEL_BYOL}, {RHEL}, launched_at=at(12), updated_at=at(10), first_seen_at=at(8)),
        {"INS001": "low"},
    ),
    Case(
        "changed after it was seen, the start is not recorded",
        instance({RHEL_BYOL}, {RHEL}, updated_at=at(10), first_seen_at=at(8)),
        {"INS001": "low"},
    ),
    Case(
        "never changed",
        instance({RHEL}, PLAIN, **UNCHANGED),
        {"INS001": "high"},
        (
            "Billed unlike its image",
            (
                "Billed as Linux/UNIX, its AMI ami-0ab as Red Hat Enterprise Linux. Its code has "
                "not been changed since it was launched."
            ),
            "If it is ami-0ab, launch a new instance from it to replace this one.",
        ),
    ),
    Case(
        "never changed, first seen later",
        instance({RHEL}, PLAIN, first_seen_at=at(11), **UNCHANGED),
        {"INS001": "high"},
    ),
    Case(
        "not recorded when",
        instance({RHEL}, PLAIN, launched_at=at(9), first_seen_at=at(9)),
        {"INS001": "medium"},
        (
            "It is not recorded when its code was changed last, so it is not known whether",
            "Look in License Manager for a license conversion of the instance.",
        ),
    ),
    Case(
        "no time at all",
        instance({RHEL}, PLAIN),
        {"INS001": "medium"},
        ("It is not recorded when",),
    ),
    Case(
        "no time of the start",
        instance({RHEL}, PLAIN, updated_at=at(9)),
        {"INS001": "medium"},
        ("It is not recorded when",),
    ),
    Case(
        "started again since",
        instance({RHEL}, PLAIN, launched_at=at(12), updated_at=at(9), first_seen_at=at(11)),
        {"INS001": "medium"},
        ("It was started again after its code was set, so it is not known",),
    ),
    Case(
        "sold by Red Hat", instance(PLAIN, {RHEL_BYOL}, product_codes=frozenset({RED_HAT_PRODUCT}))
    ),
    Case(
        "sold by somebody else",
        instance(PLAIN, {RHEL_BYOL}, product_codes=frozenset({"abc"})),
        {"INS001": "medium"},
    ),
    Case(
        "sold by Red Hat, yet charged by AWS",
        instance(PLAIN, {RHEL}, product_codes=frozenset({RED_HAT_PRODUCT})),
        {"INS001": "medium"},
    ),
    Case(
        "sold by Red Hat, its image charged by AWS",
        instance({RHEL}, {RHEL_BYOL}, product_codes=frozenset({RED_HAT_PRODUCT})),
        {"INS001": "medium"},
    ),
    Case(
        "an unknown bit on both",
        instance("RunInstances:0018", "RunInstances:000o", **UNCHANGED),
        {"INS001": "high"},
    ),
    Case("as its image", instance({RHEL}, {RHEL}, **CONVERTED)),
    Case("as its image, on Spot", instance({RHEL}, "RunInstances:0010:SV006", **UNCHANGED)),
    Case("on Spot", instance({RHEL}, PLAIN, lifecycle="spot", **UNCHANGED)),
    Case("its code is not known", instance({RHEL}, None, **UNCHANGED)),
    Case("its code is empty", instance({RHEL}, "", **UNCHANGED)),
    Case("the image's code is not known", instance(None, {RHEL}, **UNCHANGED)),
    Case("the image's code is empty", instance("", {RHEL}, **UNCHANGED)),
    Case("an unknown bit", instance({RHEL}, "RunInstances:0018", **UNCHANGED)),
)
IMAGES = (*CODES, *ORIGINS, *USES)

# rule: the level it starts from, and whether use raises it
LEVELS = {
    **dict.fromkeys(("AMI001", "AMI002", "AMI004", "AMI008", "AMI009"), ("high", True)),
    **dict.fromkeys(("AMI003", "AMI005", "AMI007", "AMI010", "AMI011"), ("medium", True)),
    **dict.fromkeys(("AMI013", "AMI014", "AMI015", "RI002"), ("medium", False)),
    **dict.fromkeys(("AMI012", "INS001", "RI001"), ("high", False)),
    "AMI006": ("low", False),
}
# rule, level, use, level after it
RAISED: tuple[tuple[str, str, dict[str, int], str], ...] = (
    ("AMI003", "low", {}, "low"),
    ("AMI003", "low", {"running": 1}, "medium"),
    ("AMI003", "low", {"idle_purchases": 5}, "medium"),
    ("AMI003", "low", {"running": 5, "idle_purchases": 1}, "high"),
    ("AMI003", "low", {"running": 1, "idle_purchases": 1, "age_days": 91}, "critical"),
    ("AMI003", "low", {"idle_purchases": 1, "age_days": 91}, "medium"),
    ("AMI003", "critical", {"running": 1}, "critical"),
    ("AMI006", "low", {"running": 1, "idle_purchases": 1, "age_days": 91}, "low"),
)
# product code, its type, whether it is of the Marketplace
PRODUCTS = (
    ("abc", "marketplace", True),
    (RED_HAT_PRODUCT, "", True),
    ("abc", "", False),
    (RED_HAT_PRODUCT, "devpay", False),
)
# links, products of the image and of each instance, what the nearest instance is licensed for
SOLD = (
    ((source({RHEL}),), {"abc"}, {"abc"}, {RHEL}),
    ((parent({SUSE}), source({RHEL}), source({WINDOWS})), {"abc"}, {"abc", "x"}, {RHEL}),
    ((source({RHEL}),), {"abc"}, {"x"}, PLAIN),
    ((source({RHEL}),), PLAIN, None, PLAIN),  # nobody looks
    ((source({RHEL}, has_changed=True),), {"abc"}, {"abc"}, PLAIN),
    ((source(None),), {"abc"}, {"abc"}, PLAIN),
    ((source(PLAIN),), {"abc"}, {"abc"}, PLAIN),
    ((parent({RHEL}),), {"abc"}, {"abc"}, PLAIN),
    ((), {"abc"}, {"abc"}, PLAIN),
)


def failures(rules: Any) -> Iterator[str]:
    """Yield the name of each case of which the rules do not say what they must."""
    for verdict in VERDICTS:
        found = rules.compare(rules.ImageFacts(**verdict.facts))
        wanted = rules.Comparison(verdict.verdict, verdict.missing, verdict.unexpected)
        if found != wanted:
            yield f"{verdict.name}: {found}"
    for case in IMAGES:
        judgment = rules.judge(rules.ImageFacts(**case.facts))
        yield from _failure(case, judgment.violations)
        of_code = [one for one in judgment.violations if one.rule in rules.CODE_RULES]
        is_bad = judgment.comparison.is_mismatch and not case.facts.get("is_gone")
        if len(of_code) != is_bad:
            yield f"{case.name}: {len(of_code)} rules stand for the mismatch"
    for case in INSTANCES:
        yield from _failure(case, rules.check_instance(rules.InstanceFacts(**case.facts)))
    yield from _failures_of_the_rulebook(rules)
    yield from _failures_of_the_marketplace(rules)


def _failures_of_the_rulebook(rules: Any) -> Iterator[str]:
    book = {entry.id: (entry.severity, entry.rises_with_use) for entry in rules.RULEBOOK.values()}
    if book != LEVELS or list(book) != list(rules.RULEBOOK):
        yield f"the rulebook: {book}"
    if [*rules.RULES, *rules.INSTANCE_RULES, "RI001", "RI002"] != list(book):
        yield f"the rules: {list(rules.RULES)}"
    for rule, level, use, after in RAISED:
        violation = rules.Violation(rule, level, "", "", ())
        if rules.raised(violation, rules.Use(**use)).severity != after:
            yield f"{rule}, {level}, used by {use}"


def _failures_of_the_marketplace(rules: Any) -> Iterator[str]:
    for product, kind, is_one in PRODUCTS:
        if rules.is_marketplace_code(product, kind) is not is_one:
            yield f"product code {product} of type {kind}"
    for links, products, its_products, licences in SOLD:
        if rules.sold_with(links, products, lambda _, its=its_products: frozenset(its)) != licences:
            yield f"sold with {products} from {links}"


def _failure(case: Case, violations: tuple[Any, ...]) -> Iterator[str]:
    broken = {violation.rule: violation.severity for violation in violations}
    text = "\n".join(
        line
        for violation in violations
        for line in (violation.title, violation.message, *violation.remedy)
    )
    if broken != case.breaks or len(violations) != len(broken):
        yield f"{case.name}: {broken}"
    yield from (f"{case.name}: does not say {words}" for words in case.says if words not in text)
    yield from (f"{case.name}: says {words}" for words in case.never if words in text)
