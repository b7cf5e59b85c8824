from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.clues import Link
from registry.billing.codes import PLAIN, TABLE, parts
from registry.billing.expectation import STRENGTHS
from registry.billing.prediction import predict
from registry.billing.prospect import (
    AWS_BACKUP,
    COPY_IMAGE,
    COPY_SNAPSHOT,
    CREATE_IMAGE,
    LIFECYCLE,
    MIGRATION,
    REGISTER_IMAGE,
    UNKNOWN,
    VM_IMPORT,
    LiveInstance,
    Prospect,
    Sibling,
    writer_of,
)

RHEL, SUSE, WINDOWS, BYOL = (f"{PLAIN}:{digits}" for digits in ("0010", "000g", "0002", "00g0"))
WINDOWS_SQL, WINDOWS_BYOL = f"{PLAIN}:0006", f"{PLAIN}:0800"
PRO, SQL = f"{PLAIN}:0g00", f"{PLAIN}:0004"
SOLD_BY_RED_HAT = ("6cd5fxzrad0cu2j23p692xytz",)
PUBLISHED = [row.usage_operation for row in TABLE]

PLATFORMS = {
    "Linux": PLAIN,
    "RHEL": RHEL,
    "RHEL HA": f"{PLAIN}:1010",
    "RHEL BYOL": BYOL,
    "SUSE": SUSE,
    "Pro": PRO,
    "Windows": WINDOWS,
    "Win+SQL": WINDOWS_SQL,
    "SQL": SQL,
}


def sibling(code, made_by=REGISTER_IMAGE, image_id="ami-2"):
    return Sibling(image_id, code, made_by)


def instance(code, **fields):
    how = "Its snapshot's volume was the root of"
    return Link("instance", "i-1", code, how=how, **fields)


def image(code, **fields):
    return Link("image", "ami-0", code, how="It descends from", **fields)


# What is known of the snapshot, for an image that must be billed with `code`.
SITUATIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "made by CreateImage": lambda code: {
        "writer": CREATE_IMAGE,
        "siblings": (sibling(code, CREATE_IMAGE),),
    },
    "... that was plain": lambda _: {
        "writer": CREATE_IMAGE,
        "siblings": (sibling(PLAIN, CREATE_IMAGE),),
    },
    "registered with it": lambda code: {"siblings": (sibling(code),)},
    "registered plain": lambda _: {"siblings": (sibling(PLAIN),)},
    "registered empty": lambda _: {"siblings": (sibling(""),)},
    "root of a machine": lambda code: {"links": (instance(code),)},
    "... that is plain": lambda code: {"links": (instance(PLAIN), image(code))},
    "... that is RHEL": lambda _: {"links": (instance(RHEL),)},
    "copied snapshot": lambda code: {"writer": COPY_SNAPSHOT, "links": (instance(code),)},
    "copied with an image": lambda code: {
        "writer": COPY_IMAGE,
        "siblings": (sibling(code, COPY_IMAGE),),
    },
    "of another account": lambda code: {"is_foreign": True, "links": (image(code),)},
    "encrypted": lambda code: {"is_encrypted": True, "links": (instance(code),)},
    "product, plain": lambda _: {
        "product_codes": SOLD_BY_RED_HAT,
        "siblings": (sibling(PLAIN),),
    },
    "product, with it": lambda code: {
        "product_codes": SOLD_BY_RED_HAT,
        "siblings": (sibling(code),),
    },
    "imported": lambda _: {"writer": VM_IMPORT},
    "migrated": lambda _: {"writer": MIGRATION},
    "backup of a machine": lambda code: {"writer": AWS_BACKUP, "links": (instance(code),)},
    "nothing known": lambda _: {},
}

# For each situation and platform: kept, lost or unknown (?); RegisterImage or CreateImage is
# recommended; with "!" a person must explain why to go on. An instance to create from is there.
EXPECTED = """
                    | Linux  | RHEL    | RHEL HA | RHEL BYOL | SUSE    | Pro     | Windows | Win+SQL | SQL
made by CreateImage | kept R | kept R  | kept R  | kept R    | kept R  | kept R  | kept C  | kept C  | kept R
... that was plain  | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
registered with it  | kept R | kept R  | kept R  | kept R    | kept R  | kept R  | kept C  | kept C  | kept R
registered plain    | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
registered empty    | ?    C | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
root of a machine   | kept R | kept C! | kept C! | kept C!   | kept C! | kept C! | kept C! | kept C! | kept C!
... that is plain   | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
... that is RHEL    | lost C | kept C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
copied snapshot     | kept R | ?    C! | ?    C! | ?    C!   | ?    C! | ?    C! | ?    C! | ?    C! | ?    C!
copied with an image| kept R | kept C! | kept C! | kept C!   | kept C! | kept C! | kept C! | kept C! | kept C!
of another account  | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
encrypted           | kept R | kept C! | kept C! | kept C!   | kept C! | kept C! | kept C! | kept C! | kept C!
product, plain      | kept R | ?    C! | ?    C! | ?    C!   | ?    C! | ?    C! | lost C! | lost C! | ?    C!
product, with it    | kept R | kept R  | kept R  | kept R    | kept R  | kept R  | kept C  | kept C  | kept R
imported            | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
migrated            | kept R | lost C! | lost C! | lost C!   | lost C! | lost C! | lost C! | lost C! | lost C!
backup of a machine | kept R | kept C! | kept C! | kept C!   | kept C! | kept C! | kept C! | kept C! | kept C!
nothing known       | kept R | ?    C! | ?    C! | ?    C!   | ?    C! | ?    C! | ?    C! | ?    C! | ?    C!
"""  # noqa: E501


def cells():
    head, *rows = [
        [cell.strip() for cell in line.split("|")] for line in EXPECTED.strip("\n").splitlines()
    ]
    assert head[1:] == list(PLATFORMS)
    assert [row[0] for row in rows] == list(SITUATIONS)
    for situation, *answers in rows:
        for platform, answer in zip(PLATFORMS, answers, strict=True):
            yield pytest.param(situation, platform, answer, id=f"{platform}, {situation}")


def as_cell(prediction):
    outcome = "?" if prediction.outcome == "unknown" else prediction.outcome
    api = {"RegisterImage": "R", "CreateImage": "C"}[prediction.api]
    return f"{outcome:4} {api}{'!' if prediction.must_explain else ''}"


def of_snapshot(expected, **fields):
    return Prospect("snapshot", expected, source_id="snap-1", **fields)


def live(code):
    return (LiveInstance("i-9", "builder", code),)


@pytest.mark.parametrize(("situation", "platform", "answer"), list(cells()))
def test_a_snapshot(situation, platform, answer):
    code = PLATFORMS[platform]

    prediction = predict(of_snapshot(code, instances=live(code), **SITUATIONS[situation](code)))

    assert as_cell(prediction) == answer


@pytest.mark.parametrize(
    ("fields", "code", "confidence"),
    [
        pytest.param({"siblings": (sibling(RHEL),)}, RHEL, "strong", id="registered before"),
        pytest.param({"siblings": (sibling(""),)}, "", "strong", id="registered empty"),
        pytest.param({"siblings": (sibling(RHEL, CREATE_IMAGE),)}, RHEL, "medium", id="created"),
        pytest.param({"siblings": (sibling(RHEL, COPY_IMAGE),)}, RHEL, "weak", id="copied with"),
        pytest.param({"siblings": (sibling(RHEL, VM_IMPORT),)}, RHEL, "weak", id="imported with"),
        pytest.param({"siblings": (sibling(RHEL, AWS_BACKUP),)}, RHEL, "weak", id="backed up with"),
        pytest.param({"siblings": (sibling(RHEL, UNKNOWN),)}, None, "none", id="made somehow"),
        pytest.param(
            {"siblings": (sibling(RHEL, COPY_IMAGE), sibling(SUSE, CREATE_IMAGE))},
            SUSE,
            "medium",
            id="created before copied",
        ),
        pytest.param(
            {"siblings": (sibling(RHEL, CREATE_IMAGE), sibling(PLAIN))},
            PLAIN,
            "strong",
            id="registered before created",
        ),
        pytest.param(
            {"siblings": (sibling(None), sibling(RHEL))}, RHEL, "strong", id="one not recorded"
        ),
        pytest.param(
            {"siblings": (sibling(RHEL), sibling(PLAIN))}, None, "none", id="they disagree"
        ),
        pytest.param(
            {"siblings": (sibling(f"{RHEL}:SV006"), sibling(RHEL))},
            RHEL,
            "strong",
            id="they agree",
        ),
        pytest.param({"siblings": (sibling(None),)}, None, "none", id="none recorded"),
        pytest.param({"links": (instance(RHEL),)}, RHEL, "weak", id="lineage"),
        pytest.param(
            {"links": (instance(RHEL), image(SUSE))}, RHEL, "weak", id="the nearest counts"
        ),
        pytest.param(
            {"links": (instance(None), image(SUSE))}, SUSE, "weak", id="the nearest recorded"
        ),
        pytest.param({"links": (image("not a code"),)}, None, "none", id="no code"),
        pytest.param({"links": (image(""), image(SUSE))}, "", "weak", id="empty is a code"),
        pytest.param(
            {"links": (instance(PRO, has_changed=True), image(SUSE))},
            SUSE,
            "weak",
            id="not what changed later",
        ),
        pytest.param(
            {
                "links": (
                    image(None, owner_id="309956199498", name="RHEL-9.4.0_HVM-x86_64-Hourly2"),
                )
            },
            RHEL,
            "weak",
            id="a vendor's image",
        ),
        pytest.param({"writer": VM_IMPORT, "links": (image(RHEL),)}, PLAIN, "weak", id="imported"),
        pytest.param(
            {"writer": VM_IMPORT, "siblings": (sibling(RHEL),)}, RHEL, "strong", id="but it works"
        ),
    ],
)
def test_the_strongest_source_gives_the_code(fields, code, confidence):
    prediction = predict(of_snapshot(RHEL, **fields))

    assert (prediction.usage_operation, prediction.confidence) == (code, confidence)


@pytest.mark.parametrize(
    ("links", "outcome", "confidence"),
    [
        pytest.param((), "kept", "weak", id="no lineage"),
        pytest.param((instance(PLAIN),), "kept", "medium", id="plain"),
        pytest.param((instance(PLAIN, is_recorded=False),), "kept", "weak", id="plain by text"),
        pytest.param((instance(PLAIN), image(RHEL)), "unknown", "medium", id="license behind"),
        pytest.param((instance(RHEL), image(PLAIN)), "lost", "weak", id="license before"),
        pytest.param(
            (instance(PRO, has_changed=True), image(PLAIN)), "kept", "medium", id="changed later"
        ),
    ],
)
def test_plain_is_expected(links, outcome, confidence):
    prediction = predict(of_snapshot(PLAIN, links=links))

    assert (prediction.outcome, prediction.confidence) == (outcome, confidence)
    assert not prediction.must_explain
    says_so = any("an extra charge may come" in reason for reason in prediction.reasons)
    assert says_so == (outcome != "kept")


def test_an_image_registered_plain_settles_that_no_charge_comes():
    prediction = predict(of_snapshot(PLAIN, siblings=(sibling(PLAIN),), links=(image(RHEL),)))

    assert (prediction.outcome, prediction.api) == ("kept", "RegisterImage")


@pytest.mark.parametrize(
    ("siblings", "must_explain"),
    [
        pytest.param((sibling(RHEL),), False, id="registered with it"),
        pytest.param((sibling(RHEL, CREATE_IMAGE),), False, id="created with it"),
        pytest.param((sibling(f"{RHEL}:SV006"),), False, id="with the suffix of Spot"),
        pytest.param((sibling(RHEL, COPY_IMAGE),), True, id="copied with it"),
        pytest.param((sibling(RHEL, VM_IMPORT),), True, id="imported with it"),
        pytest.param((sibling(RHEL), sibling(PLAIN)), True, id="once with, once without"),
        pytest.param((sibling(PLAIN), sibling(RHEL, CREATE_IMAGE)), True, id="created, then lost"),
        pytest.param((sibling(WINDOWS_SQL),), True, id="another"),
        pytest.param((sibling(None),), True, id="not recorded"),
    ],
)
def test_only_what_came_of_the_same_snapshot_proves(siblings, must_explain):
    assert predict(of_snapshot(RHEL, siblings=siblings)).must_explain is must_explain


def test_a_code_that_cannot_be_read_is_neither_kept_nor_proved():
    code = "RunInstances:FFP-1"

    prediction = predict(of_snapshot(code, siblings=(sibling(code),)))

    assert (prediction.outcome, prediction.must_explain) == ("unknown", True)


@pytest.mark.parametrize("code", [WINDOWS, WINDOWS_SQL, WINDOWS_BYOL])
@pytest.mark.parametrize("siblings", [(), (sibling(WINDOWS),)], ids=["nothing", "registered"])
def test_windows_from_a_snapshot_is_warned_of_always(code, siblings):
    reasons = predict(of_snapshot(code, siblings=siblings)).reasons

    assert any("Windows AMI made this way don't launch" in reason for reason in reasons)


def test_linux_from_a_snapshot_is_not_warned_of():
    reasons = predict(of_snapshot(RHEL)).reasons

    assert not any("Windows" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("method", "expected", "source", "answer"),
    [
        # CreateImage
        ("instance", RHEL, RHEL, ("kept", RHEL, "strong", "CreateImage")),
        ("instance", PLAIN, PLAIN, ("kept", PLAIN, "strong", "CreateImage")),
        ("instance", RHEL, PLAIN, ("lost", PLAIN, "strong", "CreateImage")),
        ("instance", PLAIN, RHEL, ("lost", RHEL, "strong", "CreateImage")),
        ("instance", WINDOWS_SQL, WINDOWS, ("lost", WINDOWS, "strong", "CreateImage")),
        ("instance", RHEL, None, ("unknown", None, "none", "CreateImage")),
        # CopyImage
        ("copy", RHEL, RHEL, ("kept", RHEL, "medium", "CopyImage")),
        ("copy", RHEL, PLAIN, ("lost", PLAIN, "medium", "CreateImage")),
        ("copy", RHEL, "", ("lost", "", "medium", "CreateImage")),
        ("copy", RHEL, None, ("unknown", None, "none", "CopyImage")),
        # RegisterImage
        ("manifest", PLAIN, None, ("kept", PLAIN, "weak", "RegisterImage")),
        ("manifest", RHEL, None, ("unknown", None, "none", "CreateImage")),
    ],
)
def test_the_other_ways(method, expected, source, answer):
    prospect = Prospect(method, expected, source_id="x-1", source_usage_operation=source)

    found = predict(prospect)

    assert (found.outcome, found.usage_operation, found.confidence, found.api) == answer


@pytest.mark.parametrize(
    ("fields", "outcome", "api"),
    [
        pytest.param({"source_usage_operation": RHEL}, "unknown", "CreateImage", id="license"),
        pytest.param(
            {"source_usage_operation": PLAIN, "expected": PLAIN, "product_codes": ("abc",)},
            "unknown",
            "CreateImage",
            id="product",
        ),
        pytest.param(
            {"source_usage_operation": PLAIN, "expected": PLAIN}, "kept", "CopyImage", id="plain"
        ),
        pytest.param({"source_usage_operation": PLAIN}, "lost", "CreateImage", id="without it"),
    ],
)
def test_an_image_of_another_account_may_not_be_copied(fields, outcome, api):
    fields = {"method": "copy", "expected": RHEL, "source_id": "ami-1", "is_foreign": True} | fields

    prediction = predict(Prospect(**fields))

    assert (prediction.outcome, prediction.api) == (outcome, api)


@pytest.mark.parametrize(
    ("method", "state"),
    [
        ("instance", "terminated"),
        ("instance", "shutting-down"),
        ("instance", "pending"),
        ("instance", "gone"),
        ("copy", "pending"),
        ("copy", "disabled"),
        ("copy", "gone"),
    ],
)
def test_nothing_can_be_made_of_what_is_not_there(method, state):
    prospect = Prospect(method, RHEL, "x-1", source_usage_operation=RHEL, source_state=state)

    prediction = predict(prospect)

    assert (prediction.outcome, prediction.confidence) == ("unknown", "none")
    assert prediction.reasons[0].startswith(f"x-1 is {state}.")
    assert prediction.instance_id == ""


@pytest.mark.parametrize("state", ["running", "stopped", ""])
def test_an_instance_that_runs_or_is_stopped_will_do(state):
    prospect = Prospect("instance", RHEL, "i-1", source_usage_operation=RHEL, source_state=state)

    prediction = predict(prospect)

    assert (prediction.outcome, prediction.instance_id) == ("kept", "i-1")


@pytest.mark.parametrize(
    ("prospect", "instance_id"),
    [
        pytest.param(of_snapshot(RHEL, instances=live(RHEL)), "i-9", id="create instead"),
        pytest.param(of_snapshot(RHEL), "", id="none there"),
        pytest.param(
            of_snapshot(RHEL, instances=live(RHEL), siblings=(sibling(RHEL),)), "", id="registered"
        ),
        pytest.param(
            Prospect("instance", RHEL, "i-1", source_usage_operation=PLAIN, instances=live(RHEL)),
            "i-9",
            id="another instance",
        ),
        pytest.param(
            Prospect(
                "instance",
                RHEL,
                "i-1",
                source_usage_operation=RHEL,
                instances=(*live(RHEL), LiveInstance("i-1", "web", RHEL)),
            ),
            "i-1",
            id="the one that was chosen",
        ),
        pytest.param(
            Prospect("instance", RHEL, "i-1", source_usage_operation=RHEL, instances=live(RHEL)),
            "i-1",
            id="the one that was chosen, alone",
        ),
    ],
)
def test_an_instance_is_recommended_by_name(prospect, instance_id):
    prediction = predict(prospect)

    assert prediction.instance_id == instance_id
    assert instance_id in prediction.advice


ADVICE = [
    (
        of_snapshot(RHEL, instances=live(RHEL)),
        (
            "Make it with CreateImage from i-9 (builder), which is billed as Red Hat Enterprise "
            "Linux: an instance passes its code on."
        ),
    ),
    (
        Prospect(
            "instance",
            SUSE,
            "i-1",
            source_usage_operation=SUSE,
            instances=(LiveInstance("i-1", "web", SUSE),),
        ),
        (
            "Make it with CreateImage from i-1 (web), which is billed as SUSE Linux: an instance "
            "passes its code on."
        ),
    ),
    (
        of_snapshot(RHEL),
        (
            "No live instance that it came from is billed as Red Hat Enterprise Linux: launch one "
            "from an AMI that is, give it a root volume made from snap-1, and use CreateImage."
        ),
    ),
    (
        Prospect("manifest", RHEL, "images/web.manifest.xml"),
        (
            "No live instance that it came from is billed as Red Hat Enterprise Linux: launch one "
            "from an AMI that is, and use CreateImage."
        ),
    ),
    (
        of_snapshot(RHEL, siblings=(sibling(RHEL),)),
        "Register it, and read the code of the new image before it is used.",
    ),
    (
        of_snapshot(PLAIN, siblings=(sibling(RHEL),)),
        "Choose another snapshot, or expect Red Hat Enterprise Linux and what AWS charges for it.",
    ),
    (
        of_snapshot(RHEL, siblings=(sibling(PLAIN),), product_codes=SOLD_BY_RED_HAT),
        (
            "If it was bought on AWS Marketplace, expect Linux/UNIX instead; if not, make it with "
            "CreateImage."
        ),
    ),
    (
        Prospect("instance", SUSE, "i-1", source_usage_operation=PLAIN),
        "Choose an instance that is billed as SUSE Linux.",
    ),
    (
        Prospect("instance", BYOL, "i-1", source_usage_operation=RHEL),
        "License Manager may convert i-1 to Red Hat BYOL Linux; use CreateImage after that.",
    ),
    (
        Prospect("instance", RHEL, "i-1", source_usage_operation=PLAIN),
        "Choose an instance that is billed as Red Hat Enterprise Linux.",
    ),
    (
        Prospect("copy", RHEL, "ami-1", source_usage_operation=RHEL),
        "Copy it, and read the code of the copy.",
    ),
    (
        Prospect("copy", RHEL, "ami-1", source_usage_operation=PLAIN),
        (
            "A copy repairs nothing: use CreateImage from an instance billed as Red Hat Enterprise "
            "Linux."
        ),
    ),
    (
        Prospect("copy", RHEL, "ami-1", source_usage_operation=RHEL, is_foreign=True),
        "Launch an instance from ami-1 where it is, use CreateImage, and copy the new image.",
    ),
    (
        Prospect("copy", RHEL, "ami-1"),
        "Choose a source that is available and whose billing code is known.",
    ),
]


@pytest.mark.parametrize(("prospect", "advice"), ADVICE)
def test_the_advice_is_one_sentence(prospect, advice):
    assert predict(prospect).advice == advice


REMARKS = {
    "swap": "An instance keeps its code when its root volume is replaced.",
    "warning": "instances of a Windows AMI made this way don't launch",
    "encrypted": "snap-1 is encrypted.",
    "changed": "The code of i-1 changed later, so it tells nothing of the snapshot.",
    "excused": "The verdict will be Excused.",
    "product": "It comes with AWS Marketplace product code 6cd5fxzrad0cu2j23p692xytz.",
    "charge": "i-1, from which it came, is billed as Red Hat Enterprise Linux: an extra charge may",
}


@pytest.mark.parametrize(
    ("prospect", "remarks"),
    [
        pytest.param(of_snapshot(PLAIN), [], id="none"),
        pytest.param(of_snapshot(RHEL), ["swap"], id="no instance"),
        pytest.param(of_snapshot(RHEL, instances=live(RHEL)), [], id="an instance"),
        pytest.param(of_snapshot(RHEL, siblings=(sibling(RHEL),)), [], id="proved"),
        pytest.param(of_snapshot(WINDOWS), ["swap", "warning"], id="windows"),
        pytest.param(Prospect("manifest", WINDOWS), [], id="windows of a manifest"),
        pytest.param(Prospect("copy", WINDOWS, "ami-1"), [], id="windows copied"),
        pytest.param(of_snapshot(RHEL, is_encrypted=True), ["swap", "encrypted"], id="encrypted"),
        pytest.param(of_snapshot(PLAIN, is_encrypted=True), [], id="plain, encrypted"),
        pytest.param(
            of_snapshot(RHEL, links=(instance(PRO, has_changed=True),)),
            ["swap", "changed"],
            id="changed",
        ),
        pytest.param(of_snapshot(PLAIN, links=(instance(RHEL),)), ["charge"], id="charge"),
        pytest.param(
            of_snapshot(RHEL, product_codes=SOLD_BY_RED_HAT), ["swap", "product"], id="product"
        ),
        pytest.param(
            of_snapshot(RHEL, product_codes=SOLD_BY_RED_HAT, siblings=(sibling(PLAIN),)),
            ["swap", "excused", "product"],
            id="excused",
        ),
    ],
)
def test_the_reasons_say_what_else_matters(prospect, remarks):
    reasons = " ".join(predict(prospect).reasons)

    assert [name for name, text in REMARKS.items() if text in reasons] == remarks


def test_the_reasons_name_what_they_are_read_from():
    prospect = of_snapshot(
        WINDOWS_SQL,
        writer=COPY_SNAPSHOT,
        links=(instance(WINDOWS, is_recorded=False),),
        product_codes=("abc",),
        is_encrypted=True,
    )

    reasons = predict(prospect).reasons

    assert reasons == (
        "Its snapshot's volume was the root of i-1, which is billed as Windows.",
        "This was read from a description, which anybody may write.",
        "AWS documents that the code is taken from metadata of the snapshot that no API shows.",
        (
            "snap-1 is a copy, says its description. Whether a copy keeps the metadata is not "
            "confirmed by AWS documentation."
        ),
        ("snap-1 is encrypted. AWS does not say whether encryption changes the code."),
        (
            "AWS documents RegisterImage from a snapshot as a way to make Linux AMIs. An AWS guide "
            "of 2019 says that instances of a Windows AMI made this way don't launch successfully."
        ),
        (
            "An instance keeps its code when its root volume is replaced. This is not confirmed by "
            "AWS documentation."
        ),
        (
            "It comes with AWS Marketplace product code abc. AWS carries product codes from volume "
            "to snapshot to AMI."
        ),
    )


@pytest.mark.parametrize(
    ("description", "tag_keys", "writer"),
    [
        ("Created by CreateImage(i-0a1) for ami-0b2", (), CREATE_IMAGE),
        ("Created by CreateImage(i-0a1) for ami-0b2 from vol-0c3", (), CREATE_IMAGE),
        (
            (
                "Copied for DestinationAmi ami-1 from SourceAmi ami-2 for SourceSnapshot snap-3. "
                "Task created on 1,650,000,000,000."
            ),
            (),
            COPY_IMAGE,
        ),
        ("[Copied snap-0a1 from us-east-1] nightly", (), COPY_SNAPSHOT),
        ("Created by AWS-VMImport service for import-snap-0a1", (), VM_IMPORT),
        ("Created for policy: policy-0a1 schedule: Default Schedule", (), LIFECYCLE),
        ("", ("aws:dlm:lifecycle-policy-id",), LIFECYCLE),
        ("This snapshot is created by the AWS Backup service.", (), AWS_BACKUP),
        ("", ("Name", "aws:backup:source-resource"), AWS_BACKUP),
        ("Created by AWS Application Migration Service", (), MIGRATION),
        ("CloudEndure snapshot", (), MIGRATION),
        ("before the upgrade", ("Name", "backup"), UNKNOWN),
        ("", (), UNKNOWN),
    ],
)
def test_who_wrote_a_snapshot(description, tag_keys, writer):
    assert writer_of(description, tag_keys) == writer


codes = st.one_of(st.none(), st.just(""), st.just("RunInstances:FFP-1"), st.sampled_from(PUBLISHED))
ids = st.sampled_from(["a-1", "a-2", "a-3"])
prospects = st.builds(
    Prospect,
    method=st.sampled_from(["snapshot", "manifest", "instance", "copy"]),
    expected=st.sampled_from([*PUBLISHED, "", "RunInstances:FFP-1"]),
    source_id=st.just("x-1"),
    source_usage_operation=codes,
    source_state=st.sampled_from(["", "available", "running", "stopped", "pending", "gone"]),
    writer=st.sampled_from([UNKNOWN, COPY_SNAPSHOT, VM_IMPORT, CREATE_IMAGE, MIGRATION]),
    links=st.lists(
        st.builds(
            Link,
            st.sampled_from(["instance", "image"]),
            ids,
            codes,
            is_recorded=st.booleans(),
            has_changed=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    siblings=st.lists(
        st.builds(
            Sibling,
            ids,
            codes,
            st.sampled_from([REGISTER_IMAGE, CREATE_IMAGE, COPY_IMAGE, VM_IMPORT]),
        ),
        max_size=3,
    ).map(tuple),
    product_codes=st.sampled_from([(), SOLD_BY_RED_HAT]),
    is_encrypted=st.sampled_from([None, True, False]),
    is_foreign=st.booleans(),
)


@given(prospects)
def test_kept_means_that_the_code_carries_exactly_the_expected_licenses(prospect):
    prediction = predict(prospect)

    is_same = parts(prediction.usage_operation) == parts(prospect.expected)
    assert is_same if prediction.outcome == "kept" else True
    assert not is_same if prediction.outcome == "lost" else True


@given(prospects)
def test_every_prediction_says_why_how_sure_it_is_and_what_to_do(prospect):
    prediction = predict(prospect)

    assert prediction.confidence in STRENGTHS
    assert all(reason.endswith(".") for reason in (*prediction.reasons, prediction.advice))
    assert "licence" not in " ".join((*prediction.reasons, prediction.advice))
    assert prediction.reasons
    assert prediction.confidence == "none" or prediction.usage_operation is not None


@given(prospects)
def test_nobody_registers_a_license_unproved_without_a_word(prospect):
    prediction = predict(prospect)

    is_registered = prospect.method in {"snapshot", "manifest"}
    is_licensed = parts(prospect.expected) != frozenset()
    proofs = [
        one
        for one in prospect.siblings
        if parts(one.usage_operation) == parts(prospect.expected) is not None
    ]
    if is_registered and is_licensed and not proofs:
        assert prediction.must_explain
        assert prediction.api == "CreateImage"
    if not is_registered or not is_licensed:
        assert not prediction.must_explain


@given(prospects, st.sampled_from(PUBLISHED))
def test_weaker_evidence_does_not_sway_what_was_registered_before(prospect, code):
    registered = Sibling("ami-9", code)
    bare = of_snapshot(prospect.expected, siblings=(registered,))
    full = of_snapshot(
        prospect.expected, siblings=(registered,), links=prospect.links, writer=prospect.writer
    )

    answers = [
        (found.outcome, found.usage_operation, found.confidence, found.api, found.must_explain)
        for found in map(predict, (bare, full))
    ]

    assert answers[0] == answers[1]
    assert answers[0][1] == code
