"""The rule about an instance: its code beside that of the image that it was launched from."""

from datetime import UTC, datetime

from registry.billing.codes import RHEL_BYOL, is_known, label, parts
from registry.billing.conversion import is_listed
from registry.billing.patterns import RED_HAT_MARKETPLACE
from registry.billing.rules.facts import InstanceFacts, Violation
from registry.billing.rules.rulebook import RULEBOOK

_Licences = frozenset[str]


def carries_the_code_of_its_image(facts: InstanceFacts) -> Violation | None:
    before, now = parts(facts.image_usage_operation), parts(facts.usage_operation)
    # What AWS records of Spot is not always the platform's code.
    if before is None or now is None or before == now or facts.lifecycle:
        return None
    if not is_known(before ^ now) or _is_sold_so(facts, before | now):
        return None
    said = (
        f"Billed as {label(facts.usage_operation)}, its AMI {facts.image_id} as "
        f"{label(facts.image_usage_operation)}."
    )
    converted_at = _converted_at(facts)
    if converted_at:
        is_offered = is_listed(before, now, facts.product_codes)
        return _conversion(facts, f"{said} {_on(converted_at)}", is_offered=is_offered)
    if facts.updated_at is not None and facts.updated_at == facts.launched_at:
        return _drift(facts, said)
    return _unexplained(facts, said)


def _is_sold_so(facts: InstanceFacts, licences: _Licences) -> bool:
    """Say whether Red Hat's own sale explains it: it is billed as plain or as brought."""
    return licences <= {RHEL_BYOL} and bool(RED_HAT_MARKETPLACE & facts.product_codes)


def _converted_at(facts: InstanceFacts) -> datetime | None:
    """Return when its code was changed, if that was surely after it was first launched.

    AWS tells only when an instance was started last. A code that is older than that may be of the
    first launch or of a conversion.
    """
    there_at = [at for at in (facts.launched_at, facts.first_seen_at) if at is not None]
    if facts.updated_at and there_at and facts.updated_at > min(there_at):
        return facts.updated_at
    return None


def _on(converted_at: datetime) -> str:
    at = converted_at.astimezone(UTC)
    return f"Its code was changed on {at:%Y-%m-%d} at {at:%H:%M} UTC, after it was launched:"


def _conversion(facts: InstanceFacts, said: str, *, is_offered: bool) -> Violation:
    listed = "AWS lists this one." if is_offered else "AWS does not list this one."
    return Violation(
        "INS001",
        "low",
        "License converted since launch",
        f"{said} a license conversion. {listed}",
        (
            "Check that the conversion was meant."
            if is_offered
            else "Check that the conversion was meant. Ask AWS Support how it came about.",
            (
                "If it was, create an AMI from the instance with CreateImage: what is launched "
                f"from {facts.image_id} is billed with the code of that."
            ),
        ),
    )


def _drift(facts: InstanceFacts, said: str) -> Violation:
    return Violation(
        "INS001",
        RULEBOOK["INS001"].severity,
        "Billed unlike its image",
        f"{said} Its code has not been changed since it was launched.",
        (
            "Find out which of the two is right. Neither of them can be edited.",
            f"If it is {facts.image_id}, launch a new instance from it to replace this one.",
            "If it is the instance, create an AMI from it with CreateImage.",
        ),
    )


def _unexplained(facts: InstanceFacts, said: str) -> Violation:
    why = (
        "It is not recorded when its code was changed last"
        if facts.updated_at is None or facts.launched_at is None
        else "It was started again after its code was set"
    )
    return Violation(
        "INS001",
        "medium",
        "Billed unlike its image",
        f"{said} {why}, so it is not known whether its license was converted.",
        (
            "Look in License Manager for a license conversion of the instance.",
            "If there was none, find out which of the two codes is right.",
        ),
    )
