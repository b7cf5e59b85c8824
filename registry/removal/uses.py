"""Who uses an image: as far as the mirror knows, and as AWS says at the moment."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from django.db.models import Q

from registry.aws import AccessDenied, AwsError, Ec2, Reference
from registry.models import OVER, Image, Instance, Registration, RemovalItem

# The kinds of AWS's own references have AWS's names.
INSTANCE = "ec2:Instance"
LAUNCH_TEMPLATE = "ec2:LaunchTemplate"
PARAMETER = "ssm:Parameter"
PERMISSION = "launch permission"
REGISTRATION = "registration"
EVERYBODY = "all"
_WORDS = {
    INSTANCE: "instance",
    LAUNCH_TEMPLATE: "launch template",
    PARAMETER: "parameter",
    PERMISSION: "launch permission of",
}
# An instance in this state never runs again, though AWS may still name it.
_ENDED = "terminated"
_WHO = ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn")


class NotKnown(Exception):
    """AWS does not tell who uses an image; it must be kept."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """Something that needs an image."""

    kind: str
    aws_id: str
    name: str = ""
    account: str = ""

    @classmethod
    def parse(cls, item: Mapping[str, str]) -> Self:
        return cls(**item)

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.aws_id

    @property
    def json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        named = f" ({self.name})" if self.name and self.name != self.aws_id else ""
        return f"{_WORDS.get(self.kind, self.kind)} {self.aws_id}{named}"


def known_uses(images: Iterable[Image]) -> dict[int, list[Use]]:
    """Return, by primary key of the image, who uses it as far as the portal knows; AWS isn't asked.

    Launch templates, parameters and launch permissions are known from the last look at them.
    """
    chosen = list(images)
    of_mirror = _mirrored_uses({image.aws_id for image in chosen})
    looked_at = _seen_at_the_last_look(chosen)
    over = _over(use.aws_id for uses in looked_at.values() for use in uses)
    found = {}
    for image in chosen:
        uses = {use.key: use for use in of_mirror[image.aws_id]}
        if image.is_public:
            uses.setdefault((PERMISSION, EVERYBODY), Use(PERMISSION, EVERYBODY))
        for use in looked_at.get(image.pk, []):
            is_over = use.aws_id in over or use.kind == REGISTRATION
            is_lost = use.kind == PERMISSION and image.state == "disabled"
            if not is_over and not is_lost:
                uses.setdefault(use.key, use)
        found[image.pk] = sorted(uses.values())
    return found


def uses_now(ec2: Ec2, image: Image, permissions: Sequence[Mapping[str, str]]) -> list[Use]:
    """Return who uses `image`: what AWS says now, and what the mirror knows of other accounts.

    Raises NotKnown where AWS does not tell.
    """
    try:
        references = ec2.list_references([image.aws_id])
    except AccessDenied as error:
        raise NotKnown(_unreadable(error, "ec2:DescribeImageReferences")) from error
    uses = _named([_of_reference(reference) for reference in references])
    elsewhere = [
        use
        for use in _mirrored_uses({image.aws_id})[image.aws_id]
        if use.kind != INSTANCE or use.account != image.account.number
    ]
    shared = of_permissions(permissions, owner=image.account.number)
    return sorted({use.key: use for use in (*elsewhere, *shared, *uses)}.values())


def read_permissions(ec2: Ec2, image: Image) -> list[dict[str, str]]:
    """Return who else may launch an image, as AWS writes it; NotKnown where AWS does not tell."""
    try:
        return ec2.read_permissions(image.aws_id)
    except AccessDenied as error:
        raise NotKnown(_unreadable(error, "ec2:DescribeImageAttribute")) from error


def of_permissions(permissions: Iterable[Mapping[str, str]], *, owner: str = "") -> list[Use]:
    """Return whom an image is shared with."""
    found = []
    for permission in permissions:
        who = next((permission[name] for name in _WHO if permission.get(name)), "")
        if who and who != owner:
            found.append(Use(PERMISSION, who, account=permission.get("UserId", "")))
    return found


def beyond(uses: Iterable[Use], shown: Iterable[Use]) -> list[Use]:
    """Return the uses that nobody was shown."""
    known = {use.key for use in shown}
    return [use for use in uses if use.key not in known]


def as_told(uses: Iterable[Use], numbers: Collection[str]) -> list[Use]:
    """Return the uses as somebody may see them who can read the accounts with these numbers.

    Of things in other accounts, only the ids are told.
    """
    known = {"", *numbers}  # what has no account, AWS or the portal itself has named
    return [use if use.account in known else replace(use, name="") for use in uses]


def removals_under_way(images: Iterable[Image]) -> dict[int, RemovalItem]:
    """Return, by primary key of the image, the item of a removal that is at work on it."""
    items = RemovalItem.objects.active().exclude(removal__run__state__in=OVER)
    chosen = [image.pk for image in images]
    return {
        item.image_id: item
        for item in items.filter(image__in=chosen).select_related("removal__run")
    }


def _mirrored_uses(image_ids: set[str]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = defaultdict(list)
    instances = Instance.objects.present().exclude(state=_ENDED).select_related("account")
    for instance in instances.filter(image_id__in=image_ids):
        use = Use(INSTANCE, instance.aws_id, instance.name, instance.account.number)
        found[instance.image_id].append(use)
    under_way = Registration.objects.under_way().select_related("account", "run")
    concerned = Q(source_image_id__in=image_ids) | Q(image_id__in=image_ids)
    for registration in under_way.filter(concerned):
        of = {registration.source_image_id, registration.image_id} & image_ids
        ref, number = registration.run.ref, registration.account.number
        for image_id in of:
            found[image_id].append(Use(REGISTRATION, ref, registration.name, number))
    return found


def _seen_at_the_last_look(images: Iterable[Image]) -> dict[int, list[Use]]:
    chosen = [image.pk for image in images]
    looks = RemovalItem.objects.filter(image__in=chosen).exclude(uses=[])
    newest = looks.order_by("image", "-pk").distinct("image")
    return {item.image_id: list(map(Use.parse, item.uses)) for item in newest}


def _of_reference(reference: Reference) -> Use:
    account, _, resource = reference.arn.split(":", 4)[-1].partition(":")
    return Use(reference.kind, resource.partition("/")[2] or reference.arn, account=account)


def _named(uses: Sequence[Use]) -> list[Use]:
    """Add the names of instances; leave those out that have ended for good."""
    ids = {use.aws_id for use in uses if use.kind == INSTANCE}
    rows = list(Instance.objects.filter(aws_id__in=ids).values_list("aws_id", "name", "state"))
    names = {aws_id: name for aws_id, name, _ in rows}
    # AWS is believed when it names one that the mirror takes for gone, but this end is the last.
    ended = {aws_id for aws_id, _, state in rows if state == _ENDED}
    return [
        Use(use.kind, use.aws_id, names.get(use.aws_id, ""), use.account)
        for use in uses
        if use.aws_id not in ended
    ]


def _over(aws_ids: Iterable[str]) -> set[str]:
    """Return the instances that are no more, as far as the mirror knows."""
    over = Instance.objects.filter(Q(state=_ENDED) | ~Q(gone_at=None), aws_id__in=set(aws_ids))
    return set(over.values_list("aws_id", flat=True))


def _unreadable(error: AwsError, action: str) -> str:
    said = str(error).rstrip(". ")
    return (
        f"It is not known who uses the image, so it was kept. {said}. "
        f"Allow {action} to the role of this account, then retry."
    )
