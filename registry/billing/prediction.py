"""Which billing code a new image will get, why, and which way to make it is the safest.

AWS tells the code of an image only once the image is there. What can be known before comes from
images that were made of the same snapshot, and from the lineage. Most of it is evidence, not proof.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry.billing import descriptions
from registry.billing.codes import (
    PLAIN,
    RHEL,
    WINDOWS,
    WINDOWS_BYOL,
    canonical,
    could_become,
    label,
    parts,
)
from registry.billing.expectation import Expectation, Link
from registry.billing.patterns import RED_HAT_MARKETPLACE
from registry.billing.rules import ImageFacts, compare
from registry.billing.text import is_plain, vendor_code

# Ways to make an image.
SNAPSHOT, MANIFEST, INSTANCE, COPY = "snapshot", "manifest", "instance", "copy"
REGISTER_IMAGE, CREATE_IMAGE, COPY_IMAGE = "RegisterImage", "CreateImage", "CopyImage"

# Who wrote a snapshot, besides CreateImage and CopyImage.
COPY_SNAPSHOT = "CopySnapshot"
VM_IMPORT = "VM Import"
AWS_BACKUP = "AWS Backup"
LIFECYCLE = "lifecycle policy"
MIGRATION = "migration service"
UNKNOWN = "unknown"

KEPT, LOST = "kept", "lost"

_WRITERS = (
    (CREATE_IMAGE, descriptions.CREATED),
    (COPY_IMAGE, descriptions.COPIED_IMAGE),
    (COPY_SNAPSHOT, descriptions.COPIED_SNAPSHOT),
    (VM_IMPORT, descriptions.IMPORTED),
    (LIFECYCLE, re.compile(r"^Created for policy: (policy-\w+) schedule: ")),
    (AWS_BACKUP, re.compile(r"created by the AWS Backup service")),
    (MIGRATION, re.compile(r"Application Migration Service|\bMGN\b|CloudEndure")),
)
# Tags that begin with aws: are set by AWS alone.
_WRITERS_BY_TAG = (("aws:dlm:lifecycle-policy-id", LIFECYCLE), ("aws:backup:", AWS_BACKUP))
# Blocks that came from elsewhere bring no billing metadata along.
_FROM_ELSEWHERE = frozenset({VM_IMPORT, MIGRATION})
# States in which AWS makes an image of an instance, or copies one; "": not recorded.
_LIVE = frozenset({"running", "stopped", ""})
_COPYABLE = frozenset({"available", ""})
_WINDOWS = frozenset({WINDOWS, WINDOWS_BYOL})
_MOST_NAMED = 3

_METADATA = "AWS documents that the code is taken from metadata of the snapshot that no API shows."
_UNCONFIRMED = "This is not confirmed by AWS documentation."
_WINDOWS_WARNING = (
    "AWS documents RegisterImage from a snapshot as a way to make Linux AMIs. An AWS guide of 2019 "
    "says that instances of a Windows AMI made this way don't launch successfully."
)


@dataclass(frozen=True, slots=True)
class Sibling:
    """An image that is there, or was, with the very same root snapshot."""

    image_id: str
    usage_operation: str | None
    made_by: str = REGISTER_IMAGE


@dataclass(frozen=True, slots=True)
class LiveInstance:
    """An instance from which CreateImage can make an image now."""

    aws_id: str
    name: str = ""
    usage_operation: str | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an image is to be made of, and all that is known of it.

    `expected`: the code it must be billed with. `source_id`: the snapshot, instance, image or
    manifest. `source_usage_operation` and `source_state` are those of an instance or image.
    """

    method: str
    expected: str
    source_id: str = ""
    source_usage_operation: str | None = None
    source_state: str = ""
    writer: str = UNKNOWN
    links: tuple[Link, ...] = ()  # nearest first
    siblings: tuple[Sibling, ...] = ()  # newest first
    product_codes: tuple[str, ...] = ()  # of AWS Marketplace
    is_encrypted: bool | None = None
    is_foreign: bool = False  # it comes from another account
    instances: tuple[LiveInstance, ...] = ()  # billed as expected, nearest first


@dataclass(frozen=True, slots=True)
class Prediction:
    """The probable code, how sure that is and why, and what to do.

    `must_explain`: who goes on all the same says why.
    """

    outcome: str  # kept, lost or unknown
    usage_operation: str | None
    confidence: str
    reasons: tuple[str, ...]
    advice: str
    api: str
    instance_id: str
    must_explain: bool


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one source says of the code; `is_open`: not enough to say whether it is kept."""

    usage_operation: str | None
    confidence: str
    reasons: tuple[str, ...]
    is_open: bool = False


def writer_of(description: str, tag_keys: Iterable[str] = ()) -> str:
    """Return who made a snapshot, by what AWS writes on it; a description proves nothing."""
    for writer, pattern in _WRITERS:
        if pattern.search(description):
            return writer
    keys = tuple(tag_keys)
    for start, writer in _WRITERS_BY_TAG:
        if any(key.startswith(start) for key in keys):
            return writer
    return UNKNOWN


def predict(prospect: Prospect) -> Prediction:
    """Say which code the image will probably get, and how to make it."""
    sign = _SIGNS[prospect.method](prospect)
    verdict = _verdict(prospect, sign)
    outcome = _outcome(prospect, sign, verdict)
    api = _api(prospect, outcome)
    instance = _instance(prospect, api)
    code = sign.usage_operation
    return Prediction(
        outcome=outcome,
        usage_operation=canonical(code) or code if code else code,
        confidence=sign.confidence,
        reasons=(*sign.reasons, *_remarks(prospect, verdict, api)),
        advice=_advice(prospect, sign, verdict, outcome, api),
        api=api,
        instance_id=instance.aws_id if instance else "",
        must_explain=_is_registered(prospect)
        and not is_plain(prospect.expected)
        and not _is_proved(prospect),
    )


def _verdict(prospect: Prospect, sign: _Sign) -> str:
    return compare(
        ImageFacts(
            usage_operation=sign.usage_operation,
            expectation=Expectation(prospect.expected, "", "strong", "declared", ()),
            is_marketplace=bool(prospect.product_codes),
        )
    ).verdict


def _outcome(prospect: Prospect, sign: _Sign, verdict: str) -> str:
    if verdict in {"unknown", "excused"}:
        return UNKNOWN
    if verdict != "ok":
        return LOST
    return UNKNOWN if sign.is_open or _may_cost_more(prospect, sign) else KEPT


def _may_cost_more(prospect: Prospect, sign: _Sign) -> bool:
    """Say whether a code may come that nobody wants, though the nearest evidence is plain."""
    is_firm = sign.confidence == "strong" or not _is_registered(prospect)
    return not is_firm and is_plain(prospect.expected) and any(map(_is_licensed, prospect.links))


def _is_licensed(link: Link) -> bool:
    return not link.has_changed and bool(parts(_code_of(link)))


def _is_registered(prospect: Prospect) -> bool:
    return prospect.method in {SNAPSHOT, MANIFEST}


def _is_proved(prospect: Prospect) -> bool:
    """Say whether images of the very same snapshot show that the expected code survives."""
    wanted = parts(prospect.expected)
    registered = _siblings(prospect, REGISTER_IMAGE)
    shown = registered or _siblings(prospect, CREATE_IMAGE)
    return bool(shown) and wanted is not None and all(_carried(one) == wanted for one in shown)


def _siblings(prospect: Prospect, *made_by: str) -> list[Sibling]:
    """Return the siblings made this way whose code is known."""
    return [
        one
        for one in prospect.siblings
        if one.made_by in made_by and one.usage_operation is not None
    ]


def _carried(one: Sibling) -> frozenset[str] | None:
    return parts(one.usage_operation)


# What each source says of the code.


def _of_instance(prospect: Prospect) -> _Sign:
    code, name = prospect.source_usage_operation, prospect.source_id
    if prospect.source_state not in _LIVE:
        said = f"{name} is {prospect.source_state}. CreateImage needs a running or stopped one."
        return _Sign(code, "none", (said,), is_open=True)
    if code is None:
        return _Sign(None, "none", (f"The billing code of {name} is not known.",))
    said = f"CreateImage passes on the code of {name}, which is billed as {label(code)}."
    return _Sign(code, "strong", (said,))


def _of_copy(prospect: Prospect) -> _Sign:
    code, name = prospect.source_usage_operation, prospect.source_id
    if prospect.source_state not in _COPYABLE:
        said = f"{name} is {prospect.source_state}. CopyImage needs an available image."
        return _Sign(code, "none", (said,), is_open=True)
    if code is None:
        return _Sign(None, "none", (f"The billing code of {name} is not known.",))
    billed = f"{name} is billed as {label(code)}."
    if not prospect.is_foreign:
        said = f"A copy of an image of one's own keeps its code. {_UNCONFIRMED}"
        return _Sign(code, "medium", (billed, said))
    if is_plain(code) and not prospect.product_codes:
        said = f"{name} belongs to another account, and carries neither a license nor a product."
        return _Sign(code, "weak", (billed, said))
    said = (
        f"{name} belongs to another account. AWS documented in 2020 that such an image can't be "
        "copied when it carries a license or a product code. Whether that still holds is not known."
    )
    return _Sign(code, "weak", (billed, said), is_open=True)


def _of_manifest(prospect: Prospect) -> _Sign:
    if is_plain(prospect.expected):
        return _Sign(PLAIN, "weak", ("Nothing says that the manifest brings a license.",))
    said = "Nothing tells which code an image made from a manifest will get."
    return _Sign(None, "none", (said,))


def _of_snapshot(prospect: Prospect) -> _Sign:
    """Return what the strongest source says that there is."""
    for source in (_of_registered, _of_made_with, _of_elsewhere, _of_lineage):
        sign = source(prospect)
        if sign is not None:
            return sign
    name = prospect.source_id
    if is_plain(prospect.expected):
        said = f"Nothing says that {name} carries a license."
        return _Sign(PLAIN, "weak", (said, _METADATA))
    return _Sign(None, "none", (f"Nothing tells which code {name} carries.", _METADATA))


_SIGNS = {
    SNAPSHOT: _of_snapshot,
    MANIFEST: _of_manifest,
    INSTANCE: _of_instance,
    COPY: _of_copy,
}


def _of_registered(prospect: Prospect) -> _Sign | None:
    found = _siblings(prospect, REGISTER_IMAGE)
    if not found:
        return None
    reasons = [
        f"{one.image_id} was registered from {prospect.source_id} before and is billed as "
        f"{label(one.usage_operation)}."
        for one in _one_of_each(found)[:_MOST_NAMED]
    ]
    if len(reasons) > 1:
        said = "These images disagree, so they tell nothing of the next one."
        return _Sign(None, "none", (*reasons, said))
    return _Sign(found[0].usage_operation, "strong", tuple(reasons))


def _one_of_each(siblings: Iterable[Sibling]) -> list[Sibling]:
    found: dict[frozenset[str] | str | None, Sibling] = {}
    for one in siblings:
        licenses = _carried(one)
        found.setdefault(one.usage_operation if licenses is None else licenses, one)
    return list(found.values())


def _of_made_with(prospect: Prospect) -> _Sign | None:
    found = _siblings(prospect, CREATE_IMAGE, COPY_IMAGE, VM_IMPORT, AWS_BACKUP)
    if not found:
        return None
    one = next((one for one in found if one.made_by == CREATE_IMAGE), found[0])
    said = (
        f"{one.made_by} made {prospect.source_id} for {one.image_id}, which is billed as "
        f"{label(one.usage_operation)}."
    )
    # Only of CreateImage is it known that image and snapshot have the code from one instance.
    confidence = "medium" if one.made_by == CREATE_IMAGE else "weak"
    return _Sign(one.usage_operation, confidence, (said, _METADATA))


def _of_elsewhere(prospect: Prospect) -> _Sign | None:
    """Return the plain code where the blocks came without the metadata, as far as is known."""
    if prospect.writer in _FROM_ELSEWHERE:
        said = (
            f"The description of {prospect.source_id} names {_name_of(prospect.writer)}. Blocks "
            f"that come from elsewhere usually bring no billing code. {_UNCONFIRMED}"
        )
    elif prospect.is_foreign:
        said = (
            f"{prospect.source_id} comes from another account. On the way from account to account "
            f"the code is often lost. {_UNCONFIRMED}"
        )
    else:
        return None
    return _Sign(PLAIN, "weak", (said, _METADATA))


def _name_of(writer: str) -> str:
    return "a migration service" if writer == MIGRATION else writer


def _of_lineage(prospect: Prospect) -> _Sign | None:
    link = next((link for link in prospect.links if _tells(link)), None)
    if link is None:
        return None
    code = _code_of(link)
    reasons = [f"{link.how} {link.aws_id}, which is billed as {label(code)}.", _METADATA]
    if not link.is_recorded:
        reasons.insert(1, "This was read from a description, which anybody may write.")
    is_copy = prospect.writer in {COPY_SNAPSHOT, COPY_IMAGE}
    if is_copy:
        reasons.append(
            f"{prospect.source_id} is a copy, says its description. Whether a copy keeps the "
            "metadata is not confirmed by AWS documentation."
        )
    is_clear = is_plain(code) and link.is_recorded and not is_copy
    confidence = "medium" if is_clear and is_plain(prospect.expected) else "weak"
    is_open = is_copy and not is_plain(prospect.expected)
    return _Sign(code, confidence, tuple(reasons), is_open=is_open)


def _tells(link: Link) -> bool:
    code = _code_of(link)
    return not link.has_changed and (code == "" or parts(code) is not None)


def _code_of(link: Link) -> str | None:
    """Return the code of a link; that of a vendor's image also where none was recorded."""
    if link.usage_operation is None:
        return vendor_code(link.owner_id, link.name)
    return link.usage_operation


# What else there is to say.


def _remarks(prospect: Prospect, verdict: str, api: str) -> Iterator[str]:
    if _is_registered(prospect):
        yield from _remarks_on_metadata(prospect)
    if prospect.method == SNAPSHOT and api == CREATE_IMAGE and not prospect.instances:
        yield f"An instance keeps its code when its root volume is replaced. {_UNCONFIRMED}"
    if prospect.product_codes:
        yield (
            f"It comes with AWS Marketplace product code {', '.join(prospect.product_codes)}. AWS "
            "carries product codes from volume to snapshot to AMI."
        )
    if verdict == "excused":
        yield "Sellers on AWS Marketplace sell Linux this way. The verdict will be Excused."


def _remarks_on_metadata(prospect: Prospect) -> Iterator[str]:
    licensed = next(filter(_is_licensed, prospect.links), None)
    if is_plain(prospect.expected) and licensed:
        yield (
            f"{licensed.aws_id}, from which it came, is billed as {label(_code_of(licensed))}: an "
            "extra charge may come."
        )
    if any(link.has_changed for link in prospect.links):
        changed = next(link for link in prospect.links if link.has_changed)
        yield f"The code of {changed.aws_id} changed later, so it tells nothing of the snapshot."
    if prospect.is_encrypted and not is_plain(prospect.expected):
        yield (
            f"{prospect.source_id} is encrypted. AWS does not say whether encryption changes the "
            "code."
        )
    if prospect.method == SNAPSHOT and (parts(prospect.expected) or frozenset()) & _WINDOWS:
        yield _WINDOWS_WARNING


# What to do.


def _api(prospect: Prospect, outcome: str) -> str:
    if prospect.method == INSTANCE:
        return CREATE_IMAGE
    if prospect.method == COPY:
        is_refused = prospect.is_foreign and outcome == UNKNOWN
        return CREATE_IMAGE if outcome == LOST or is_refused else COPY_IMAGE
    wanted = parts(prospect.expected)
    if wanted == frozenset():
        return CREATE_IMAGE if outcome != KEPT and prospect.instances else REGISTER_IMAGE
    if _is_proved(prospect):
        # A Windows image may keep its code and not start.
        is_better = bool((wanted or frozenset()) & _WINDOWS) and prospect.instances
        return CREATE_IMAGE if is_better else REGISTER_IMAGE
    return CREATE_IMAGE


def _instance(prospect: Prospect, api: str) -> LiveInstance | None:
    if api != CREATE_IMAGE:
        return None
    named = next((one for one in prospect.instances if one.aws_id == prospect.source_id), None)
    if named is None and prospect.method == INSTANCE and _is_as_expected(prospect):
        named = LiveInstance(prospect.source_id, "", prospect.source_usage_operation)
    return named or next(iter(prospect.instances), None)


def _is_as_expected(prospect: Prospect) -> bool:
    code = parts(prospect.source_usage_operation)
    return code is not None and code == parts(prospect.expected) and prospect.source_state in _LIVE


def _advice(prospect: Prospect, sign: _Sign, verdict: str, outcome: str, api: str) -> str:
    if verdict == "excused":
        return (
            f"If it was bought on AWS Marketplace, expect {label(sign.usage_operation)} instead; "
            f"if not, make it with CreateImage{_from(_instance(prospect, api))}."
        )
    if api == CREATE_IMAGE:
        return _advice_to_create(prospect, sign, outcome)
    if api == COPY_IMAGE:
        return "Copy it, and read the code of the copy." if outcome == KEPT else _LOOK_FIRST
    if outcome == LOST:
        return (
            f"Choose another snapshot, or expect {label(sign.usage_operation)} and what AWS "
            "charges for it."
        )
    return "Register it, and read the code of the new image before it is used."


_LOOK_FIRST = "Choose a source that is available and whose billing code is known."


def _advice_to_create(prospect: Prospect, sign: _Sign, outcome: str) -> str:
    expected, instance = label(prospect.expected), _instance(prospect, CREATE_IMAGE)
    if instance:
        return (
            f"Make it with CreateImage{_from(instance)}, which is billed as {expected}: an "
            "instance passes its code on."
        )
    if prospect.method == INSTANCE:
        return _advice_on_instance(prospect, sign, outcome)
    if prospect.method == COPY:
        if outcome == LOST:
            return f"A copy repairs nothing: use CreateImage from an instance billed as {expected}."
        return (
            f"Launch an instance from {prospect.source_id} where it is, use CreateImage, and copy "
            "the new image."
        )
    missing = f"No live instance that it came from is billed as {expected}"
    if prospect.method == MANIFEST:
        return f"{missing}: launch one from an AMI that is, and use CreateImage."
    return (
        f"{missing}: launch one from an AMI that is, give it a root volume made from "
        f"{prospect.source_id}, and use CreateImage."
    )


def _advice_on_instance(prospect: Prospect, sign: _Sign, outcome: str) -> str:
    if outcome == LOST and _is_convertible(prospect, sign):
        return (
            f"License Manager may convert {prospect.source_id} to {label(prospect.expected)}; use "
            "CreateImage after that."
        )
    return f"Choose an instance that is billed as {label(prospect.expected)}."


def _is_convertible(prospect: Prospect, sign: _Sign) -> bool:
    before, after = parts(sign.usage_operation), parts(prospect.expected)
    if before is None or after is None:
        return False
    if (before, after) == (frozenset(), frozenset({RHEL})):
        return bool(RED_HAT_MARKETPLACE & set(prospect.product_codes))
    return could_become(before, after)


def _from(instance: LiveInstance | None) -> str:
    if instance is None:
        return ""
    return f" from {instance.aws_id}{f' ({instance.name})' if instance.name else ''}"
