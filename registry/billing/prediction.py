"""Which billing code a new image will get, why, and which way to make it is the safest.

AWS tells the code of an image only once the image is there. What can be known before comes from
images that were made of the same snapshot, and from the lineage. Most of it is evidence, not proof.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from registry.billing.clues import Expectation
from registry.billing.codes import (
    RHEL,
    WINDOWS,
    WINDOWS_BYOL,
    canonical,
    could_become,
    label,
    parts,
)
from registry.billing.patterns import RED_HAT_MARKETPLACE
from registry.billing.prospect import (
    COPY,
    COPY_IMAGE,
    CREATE_IMAGE,
    INSTANCE,
    LIVE,
    MANIFEST,
    REGISTER_IMAGE,
    SNAPSHOT,
    UNKNOWN,
    LiveInstance,
    Prospect,
    code_of_link,
    is_licensed,
    is_registered,
    licenses_of,
    siblings_made_by,
)
from registry.billing.rules import ImageFacts, compare
from registry.billing.signs import UNCONFIRMED, Sign, sign_of
from registry.billing.text import is_plain

KEPT, LOST = "kept", "lost"
_WINDOWS = frozenset({WINDOWS, WINDOWS_BYOL})
_WINDOWS_WARNING = (
    "AWS documents RegisterImage from a snapshot as a way to make Linux AMIs. An AWS guide of 2019 "
    "says that instances of a Windows AMI made this way don't launch successfully."
)


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


def predict(prospect: Prospect) -> Prediction:
    """Say which code the image will probably get, and how to make it."""
    sign = sign_of(prospect)
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
        must_explain=is_registered(prospect)
        and not is_plain(prospect.expected)
        and not _is_proved(prospect),
    )


def _verdict(prospect: Prospect, sign: Sign) -> str:
    return compare(
        ImageFacts(
            usage_operation=sign.usage_operation,
            expectation=Expectation(prospect.expected, "", "strong", "declared", ()),
            is_marketplace=bool(prospect.product_codes),
            sold_with=prospect.sold_with,
        )
    ).verdict


def _outcome(prospect: Prospect, sign: Sign, verdict: str) -> str:
    if verdict in {"unknown", "excused"}:
        return UNKNOWN
    if verdict != "ok":
        return LOST
    return UNKNOWN if sign.is_open or _may_cost_more(prospect, sign) else KEPT


def _may_cost_more(prospect: Prospect, sign: Sign) -> bool:
    """Say whether a code may come that nobody wants, though the nearest evidence is plain."""
    is_firm = sign.confidence == "strong" or not is_registered(prospect)
    return not is_firm and is_plain(prospect.expected) and any(map(is_licensed, prospect.links))


def _is_proved(prospect: Prospect) -> bool:
    """Say whether images of the very same snapshot show that the expected code survives."""
    wanted = parts(prospect.expected)
    registered = siblings_made_by(prospect, REGISTER_IMAGE)
    shown = registered or siblings_made_by(prospect, CREATE_IMAGE)
    return bool(shown) and wanted is not None and all(licenses_of(one) == wanted for one in shown)


def _remarks(prospect: Prospect, verdict: str, api: str) -> Iterator[str]:
    if is_registered(prospect):
        yield from _remarks_on_metadata(prospect)
    if prospect.method == SNAPSHOT and api == CREATE_IMAGE and not prospect.instances:
        yield f"An instance keeps its code when its root volume is replaced. {UNCONFIRMED}"
    if prospect.product_codes:
        yield (
            f"It comes with AWS Marketplace product code {', '.join(prospect.product_codes)}. AWS "
            "carries product codes from volume to snapshot to AMI."
        )
    if verdict == "excused":
        yield "Sellers on AWS Marketplace sell Linux this way. The verdict will be Excused."


def _remarks_on_metadata(prospect: Prospect) -> Iterator[str]:
    licensed = next(filter(is_licensed, prospect.links), None)
    if is_plain(prospect.expected) and licensed:
        yield (
            f"{licensed.aws_id}, from which it came, is billed as "
            f"{label(code_of_link(licensed))}: an extra charge may come."
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
    return code is not None and code == parts(prospect.expected) and prospect.source_state in LIVE


def _advice(prospect: Prospect, sign: Sign, verdict: str, outcome: str, api: str) -> str:
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


def _advice_to_create(prospect: Prospect, sign: Sign, outcome: str) -> str:
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


def _advice_on_instance(prospect: Prospect, sign: Sign, outcome: str) -> str:
    if outcome == LOST and _is_convertible(prospect, sign):
        return (
            f"License Manager may convert {prospect.source_id} to {label(prospect.expected)}; use "
            "CreateImage after that."
        )
    return f"Choose an instance that is billed as {label(prospect.expected)}."


def _is_convertible(prospect: Prospect, sign: Sign) -> bool:
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
