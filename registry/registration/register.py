"""Make an image once, whatever happens on the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.aws import AwsError, Ec2, ImageRecord, NameTaken, Throttled, Unsure
from registry.models import Registration, RegistrationStep
from registry.registration.advice import explain, is_passing
from registry.registration.spec import is_ours, operation, request

# How long an image that AWS has made may stay out of sight, before it is taken as not made.
PATIENCE = timedelta(seconds=45)
PAUSE = timedelta(seconds=5)
# How long after a doubt a no of AWS may come from our own image that nobody sees yet.
UNSEEN = timedelta(minutes=5)
LOOKING = "Looking whether AWS carried the request out"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more can be done now; go on after `pause`."""

    pause: timedelta
    note: str


class NotOurs(Exception):
    """An AMI that we did not make has the name."""


class Declined(Exception):
    """AWS said no; the message says what to change."""


def check_once(ec2: Ec2, registration: Registration, *, at: datetime) -> Wait | None:
    """Let AWS check the request without carrying it out; None when it has said yes."""
    if registration.step != RegistrationStep.REQUESTED:
        return None
    _refuse_foreign(registration, ec2.find_images(name=registration.name))
    try:
        ec2.try_make_image(operation(registration), request(registration))
    except NameTaken:
        raise NotOurs(_unseen(registration)) from None
    except AwsError as error:
        if is_passing(error):
            return Wait(PAUSE, f"AWS can't check the request now: {error}")
        raise Declined(explain(error, operation(registration))) from error
    registration.run.record("Checked: AWS would accept the request.", at=at)
    registration.step = RegistrationStep.CHECKED
    registration.save()
    return None


def register_once(
    ec2: Ec2, registration: Registration, *, at: datetime, may_send: bool = True
) -> Wait | None:
    """Let the image of `registration` exist and note its id; None when that is done.

    RegisterImage and CreateImage take no client token. So the intention is written down before the
    request is sent, the image carries the registration's key as a tag, and every attempt begins
    with a look for what an earlier one left. After any doubt nothing is sent for as long as an
    image may stay out of sight. Its name, unique in an account and region, stops a second one for
    good.

    What was sent is looked for also where `may_send` is false.
    """
    named = ec2.find_images(name=registration.name)
    found = _ours(registration, named)
    if found:
        registration.run.record(f"Found {found.aws_id} under the registration's key.", at=at)
        _keep(registration, found.aws_id)
        return None
    before = registration.submitted_at
    if before is not None and at < before + PATIENCE:
        return Wait(PAUSE, LOOKING)
    _refuse_foreign(registration, named)
    if not may_send:
        if before is not None and at < before + UNSEEN:
            return Wait(PATIENCE, LOOKING)
        raise Declined(
            "Whoever asked may not make images here any more, or an approval no longer counts. "
            "No image was made."
        )
    registration.submitted_at = at
    registration.save()
    return _send(ec2, registration, before, at=at)


def _ours(registration: Registration, named: Iterable[ImageRecord]) -> ImageRecord | None:
    """Return the image that an earlier attempt left."""
    return next((image for image in named if is_ours(registration, image)), None)


def _refuse_foreign(registration: Registration, named: Iterable[ImageRecord]) -> None:
    for other in named:
        raise NotOurs(
            f"{other.aws_id} has the name {registration.name} and was not made by this request. "
            "Choose another name."
        )


def _send(
    ec2: Ec2, registration: Registration, before: datetime | None, *, at: datetime
) -> Wait | None:
    try:
        reply = ec2.make_image(operation(registration), request(registration))
    except Throttled:
        registration.run.record("AWS is slowing requests; this one was not carried out.", at=at)
        registration.submitted_at = before
        registration.save()
        return Wait(PAUSE, "AWS is slowing requests")
    except Unsure as error:
        registration.run.record(
            f"No answer of AWS. {error} Looking before anything is sent.", at=at
        )
        return _look_in_doubt(ec2, registration)
    except AwsError as error:
        return _refused(ec2, registration, error, before, at=at)
    said = f"{operation(registration)} returned {reply.image_id}."
    registration.run.record(said, reply.request_id, at=at)
    _keep(registration, reply.image_id)
    return None


def _look_in_doubt(ec2: Ec2, registration: Registration) -> Wait | None:
    try:
        found = _ours(registration, ec2.find_images(name=registration.name))
    except AwsError:
        found = None
    if found is None:
        # The request may be on its way still: its patience begins now, not when it was sent.
        return Wait(PATIENCE, LOOKING)
    _keep(registration, found.aws_id)
    return None


def _refused(
    ec2: Ec2, registration: Registration, error: AwsError, before: datetime | None, *, at: datetime
) -> Wait | None:
    """Raise what AWS's no means; after a doubt, only when an image of ours would be seen."""
    registration.submitted_at = before
    registration.save()
    if before is not None and at < before + UNSEEN:
        said = f"AWS refuses now. {error} Looking for what was sent before."
        registration.run.record(said, at=at)
        return Wait(PATIENCE, LOOKING)
    if isinstance(error, NameTaken):
        _refuse_foreign(registration, ec2.find_images(name=registration.name))
        raise NotOurs(_lost(registration) if before else _unseen(registration)) from error
    raise Declined(explain(error, operation(registration))) from error


def _unseen(registration: Registration) -> str:
    return (
        f"The name {registration.name} is taken by an AMI that AWS does not show: one deregistered "
        "a moment ago, or one in the Recycle Bin. Choose another name."
    )


def _lost(registration: Registration) -> str:
    return (
        "AWS gave no answer to this request, and its name is taken by an AMI that AWS does not "
        f"show. Look for {registration.name} in EC2 before you repeat the request."
    )


def _keep(registration: Registration, image_id: str) -> None:
    registration.image_id = image_id
    registration.step = RegistrationStep.SUBMITTED
    registration.save()
