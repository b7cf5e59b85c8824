"""What would become of a request, before it is one: filled in, checked, predicted, ruled on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from registry.access import Ruling, ruling, visible
from registry.billing.codes import canonical
from registry.billing.prediction import Prediction
from registry.models import Account, Image, Method, Operation, Registration
from registry.registration.checks import Refused, check
from registry.registration.forecast import forecast, is_risky, must_explain
from registry.registration.origin import fill
from registry.registration.storable import malformed


@dataclass(frozen=True, slots=True)
class Wish:
    """One image that is wanted: the fields of a Registration under the key of the request."""

    key: UUID
    account: Account
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A registration that is not saved yet, and what is known of it beforehand.

    `read_from` names, by field, the thing from which a value was taken that nobody gave.
    `problems` say, by field, why it can't be made as it is; the rest is empty then.
    """

    registration: Registration
    read_from: Mapping[str, str]
    problems: Mapping[str, str]
    prediction: Prediction | None = None
    ruling: Ruling | None = None


def propose(
    wishes: Sequence[Wish], *, by: User | None, batch: UUID | None = None
) -> list[Proposal]:
    """Return what would become of each wish if `by` asked for them together."""
    names: set[tuple[int, str, str]] = set()
    return [_propose(wish, batch, names, by=by) for wish in wishes]


def _propose(
    wish: Wish, batch: UUID | None, names: set[tuple[int, str, str]], *, by: User | None
) -> Proposal:
    registration = Registration(key=wish.key, account=wish.account, batch=batch, **wish.fields)
    kinds = dict(malformed(registration))
    if kinds:
        return Proposal(registration, {}, kinds)
    read_from = fill(registration, given=wish.fields.keys())
    try:
        _check_readable(registration, by)
        check(registration)
        _check_alone(registration, names)
    except Refused as error:
        return Proposal(registration, read_from, error.problems)
    prediction = forecast(registration)
    missing = must_explain(registration, prediction)
    found = ruling(
        by,
        registration.account,
        operation=Operation.MAKE,
        usage_operation=canonical(registration.expected_usage_operation) or "",
        is_risky=is_risky(prediction),
    )
    problems = {"reason": missing} if missing else {}
    return Proposal(registration, read_from, problems, prediction, found)


def _check_readable(registration: Registration, by: User | None) -> None:
    """Tell nobody of an image in an account that they may not read."""
    if by is None or registration.method != Method.COPY:
        return
    rows = Image.objects.filter(
        aws_id=registration.source_image_id, region=registration.source_region
    )
    if not visible(rows, by).exists():
        raise Refused({"source_image_id": "There is no such image in that region."})


def _check_alone(registration: Registration, names: set[tuple[int, str, str]]) -> None:
    name = (registration.account.pk, registration.region, registration.name)
    if name in names:
        raise Refused({"name": "Another image of this request has this name here. Change one."})
    names.add(name)
