"""Register an image once, whatever happens on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.aws import Ec2, ImageRecord, NameTaken, Throttled, Unsure
from registry.models import Event, Registration, RegistrationStep
from registry.registration.spec import TAG, parameters, tags

# How long an image that AWS has made may stay out of sight, before it is taken as not made.
PATIENCE = timedelta(seconds=45)
PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more can be done now; go on after `pause`."""

    pause: timedelta
    note: str


class NotOurs(Exception):
    """An AMI that we did not make has the name."""


def register_once(ec2: Ec2, registration: Registration, *, at: datetime) -> Wait | None:
    """Let the image of `registration` exist and note its id; None when that is done.

    RegisterImage takes no client token. So before anything is sent, the intention is written down
    and the image carries the registration's key as a tag; after any doubt, AWS is looked at for as
    long as an image may stay out of sight. Its name, unique in an account and region, stops a
    second one at the same moment.
    """
    if registration.submitted_at is None:
        ec2.try_register_image(parameters(registration), tags(registration))
        note(registration, "Checked: AWS would accept the request.", at=at)
        registration.submitted_at = at
        registration.step = RegistrationStep.CHECKED
        registration.save()
        return _send(ec2, registration, at=at)
    found = look(ec2, registration)
    if found:
        note(registration, f"Found {found.aws_id} under the registration's key.", at=at)
        return _keep(registration, found.aws_id)
    if at < registration.submitted_at + PATIENCE:
        return Wait(PAUSE, "Looking whether AWS carried the request out")
    registration.submitted_at = at
    registration.save()
    return _send(ec2, registration, at=at)


def look(ec2: Ec2, registration: Registration) -> ImageRecord | None:
    """Return the image that carries the registration's key; NotOurs if another has its name."""
    marked = ec2.find_images(tag=(TAG, str(registration.key)))
    if marked:
        return marked[0]
    for other in ec2.find_images(name=registration.name):
        raise NotOurs(
            f"{other.aws_id} has the name {registration.name} and was not made by this request. "
            "Choose another name."
        )
    return None


def _send(ec2: Ec2, registration: Registration, *, at: datetime) -> Wait | None:
    try:
        reply = ec2.register_image(parameters(registration), tags(registration))
    except Throttled:
        note(registration, "AWS is slowing requests; it was not carried out.", at=at)
        registration.submitted_at = None
        registration.save()
        return Wait(PAUSE, "AWS is slowing requests")
    except Unsure as error:
        note(registration, f"No answer of AWS: {error} Looking before sending again.", at=at)
        return Wait(PAUSE, "Looking whether AWS carried the request out")
    except NameTaken:
        found = look(ec2, registration)
        if found:
            return _keep(registration, found.aws_id)
        return Wait(PAUSE, "AWS says that the name is taken; looking by whom")
    note(registration, f"RegisterImage returned {reply.image_id}.", reply.request_id, at=at)
    return _keep(registration, reply.image_id)


def _keep(registration: Registration, image_id: str) -> None:
    registration.image_id = image_id
    registration.step = RegistrationStep.SUBMITTED
    registration.save()


def note(registration: Registration, text: str, request_id: str = "", *, at: datetime) -> None:
    """Add a line to the timeline."""
    Event.objects.create(registration=registration, at=at, text=text, request_id=request_id)
