"""Register an image once, whatever happens on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.aws import AwsError, Ec2, ImageRecord, NameTaken, Throttled, Unsure
from registry.models import Event, Registration, RegistrationStep
from registry.registration.advice import explain, is_passing
from registry.registration.spec import TAG, parameters, tags

# How long an image that AWS has made may stay out of sight, before it is taken as not made.
PATIENCE = timedelta(seconds=45)
PAUSE = timedelta(seconds=5)
# How long a name may be taken by an image that nobody sees.
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


def register_once(ec2: Ec2, registration: Registration, *, at: datetime) -> Wait | None:
    """Let the image of `registration` exist and note its id; None when that is done.

    RegisterImage takes no client token. So the intention is written down before the request is
    sent, the image carries the registration's key as a tag, and every attempt begins with a look
    for what an earlier one left. After any doubt nothing is sent for as long as an image may stay
    out of sight. Its name, unique in an account and region, stops a second one for good.
    """
    found = look(ec2, registration)
    if found:
        note(registration, f"Found {found.aws_id} under the registration's key.", at=at)
        _keep(registration, found.aws_id)
        return None
    before = registration.submitted_at
    if before is not None and at < before + PATIENCE:
        return Wait(PAUSE, LOOKING)
    _refuse_foreign(ec2, registration)
    if before is None:
        pause = _ask_first(ec2, registration, at=at)
        if pause:
            return pause
    registration.submitted_at = at
    registration.save()
    return _send(ec2, registration, before, at=at)


def look(ec2: Ec2, registration: Registration) -> ImageRecord | None:
    """Return the image that an earlier attempt left: key, name and root snapshot are ours."""
    for image in ec2.find_images(tag=(TAG, str(registration.key))):
        # A copy of our image carries our tag as well.
        is_ours = image.root_snapshot_id in {registration.snapshot_id, ""}
        if is_ours and image.name == registration.name:
            return image
    return None


def _refuse_foreign(ec2: Ec2, registration: Registration) -> None:
    for other in ec2.find_images(name=registration.name):
        raise NotOurs(
            f"{other.aws_id} has the name {registration.name} and was not made by this request. "
            "Choose another name."
        )


def _ask_first(ec2: Ec2, registration: Registration, *, at: datetime) -> Wait | None:
    """Let AWS check the request without carrying it out."""
    try:
        ec2.try_register_image(parameters(registration), tags(registration))
    except NameTaken:
        raise NotOurs(_unseen(registration)) from None
    except AwsError as error:
        if is_passing(error):
            return Wait(PAUSE, f"AWS can't check the request now: {error}")
        raise Declined(explain(error)) from error
    note(registration, "Checked: AWS would accept the request.", at=at)
    registration.step = RegistrationStep.CHECKED
    return None


def _send(
    ec2: Ec2, registration: Registration, before: datetime | None, *, at: datetime
) -> Wait | None:
    try:
        reply = ec2.register_image(parameters(registration), tags(registration))
    except Throttled:
        note(registration, "AWS is slowing requests; this one was not carried out.", at=at)
        registration.submitted_at = before
        registration.save()
        return Wait(PAUSE, "AWS is slowing requests")
    except Unsure as error:
        note(registration, f"No answer of AWS. {error} Looking before anything is sent.", at=at)
        return _look_in_doubt(ec2, registration)
    except NameTaken:
        return _taken(ec2, registration, before, at=at)
    except AwsError as error:
        raise Declined(explain(error)) from error
    note(registration, f"RegisterImage returned {reply.image_id}.", reply.request_id, at=at)
    _keep(registration, reply.image_id)
    return None


def _look_in_doubt(ec2: Ec2, registration: Registration) -> Wait | None:
    try:
        found = look(ec2, registration)
    except AwsError:
        found = None
    if found is None:
        # The request may be on its way still: its patience begins now, not when it was sent.
        return Wait(PATIENCE, LOOKING)
    _keep(registration, found.aws_id)
    return None


def _taken(
    ec2: Ec2, registration: Registration, before: datetime | None, *, at: datetime
) -> Wait | None:
    """Find out whose image has the name; after a doubt it may be our own, not yet seen."""
    found = look(ec2, registration)
    if found:
        _keep(registration, found.aws_id)
        return None
    is_late = at > registration.run.requested_at + UNSEEN
    if before is None or is_late:
        _refuse_foreign(ec2, registration)
        raise NotOurs(_unseen(registration))
    note(registration, "AWS says that the name is taken. Looking by whom.", at=at)
    return Wait(PAUSE, "AWS says that the name is taken; looking by whom")


def _unseen(registration: Registration) -> str:
    return (
        f"The name {registration.name} is taken by an AMI that AWS does not show: one deregistered "
        "a moment ago, or one in the Recycle Bin. Choose another name."
    )


def _keep(registration: Registration, image_id: str) -> None:
    registration.image_id = image_id
    registration.step = RegistrationStep.SUBMITTED
    registration.save()


def note(registration: Registration, text: str, request_id: str = "", *, at: datetime) -> None:
    """Add a line to the timeline."""
    Event.objects.create(registration=registration, at=at, text=text, request_id=request_id)
