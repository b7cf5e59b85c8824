"""An audit: of everything, of what has changed, or of some images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.changes import changes
from registry.audit.coverage import Applied, audit_coverage
from registry.audit.effects import Corrected, ImageEffect, effects_of
from registry.audit.findings import Found, reconcile
from registry.audit.fleet import Fleet
from registry.audit.images import Judged, Verdicts, judge_all, judge_gone, judge_some
from registry.audit.instances import judge_instances
from registry.audit.known import Known
from registry.audit.over_time import record
from registry.audit.proposals import keep
from registry.audit.purchases import check, elsewhere, lost_codes
from registry.audit.rows import one_at_a_time
from registry.audit.touched import TouchedThings, concerned, forget, read_touched
from registry.billing.codes import normalize_reserved_platform
from registry.billing.price import monthly
from registry.billing.rules import CODE_RULES, MISMATCHES, Use, raised
from registry.models import Finding, Image

NO_EFFECT = ImageEffect((), None, 0)


@dataclass(frozen=True, slots=True)
class AuditCounts:
    """How many images were judged, and how many findings are open now."""

    images: int
    purchases: int
    findings: int


def audit(*, at: datetime, is_full: bool = True) -> AuditCounts:
    """Judge every present image, instance and purchase as they stand at `at`.

    If it is not full, of the images only those that may be judged otherwise than the last time:
    what syncs have touched since, what descends from it, and what has findings.
    """
    with one_at_a_time():
        return _audit(at=at, is_full=is_full)


def _audit(*, at: datetime, is_full: bool) -> AuditCounts:
    touched = read_touched()
    if is_full or touched.is_everything:
        verdicts = judge_all(Known.load(), at=at)
    else:
        verdicts = _judge_touched(touched, at=at)
    fleet = Fleet.load(at=at)
    applied = audit_coverage(fleet, at=at)
    wrong = dict(_wrong(verdicts.images))
    effects = effects_of(fleet, wrong)
    images = _found(verdicts.images | judge_gone(), effects, at=at)
    reconcile("image", images, at=at, is_all=True)
    drifted = {pk: [Found(one) for one in some] for pk, some in judge_instances().items()}
    reconcile("instance", drifted, at=at, is_all=True)
    reconcile("reserved_instance", _idle(fleet, applied, wrong), at=at, is_all=True)
    keep(changes(fleet), at=at)
    record(fleet, applied, at=at)
    forget(touched)
    return AuditCounts(
        images=len(verdicts.images),
        purchases=len(applied.uses),
        findings=Finding.objects.open().count(),
    )


def judge_images(images: Sequence[Image], *, at: datetime) -> None:
    """Judge some images, and make their findings agree.

    What a wrong code leaves idle stays as the last audit of purchases has found it.
    """
    verdicts = judge_some(
        [image.pk for image in images], Known.of([image.aws_id for image in images]), at=at
    )
    found = _found(verdicts.images, _last_effects(verdicts.images), at=at)
    reconcile("image", found, at=at)


def _judge_touched(touched: TouchedThings, *, at: datetime) -> Verdicts:
    broken = Finding.objects.open().exclude(image=None).values_list("image_id", flat=True)
    keys = concerned(touched) | set(broken)
    ids = Image.objects.present().filter(pk__in=keys).values_list("aws_id", flat=True)
    return judge_some(keys, Known.of(set(ids)), at=at)


def _wrong(images: Mapping[int, Judged]) -> Iterator[tuple[int, Corrected]]:
    for pk, image in images.items():
        if image.verdict in MISMATCHES and image.expected is not None:
            code = image.usage_operation or ""
            yield pk, Corrected(image.aws_id, code, image.expected)


def _last_effects(images: Mapping[int, Judged]) -> dict[int, ImageEffect]:
    rows = Finding.objects.open().filter(image__in=list(images), rule__in=CODE_RULES)
    values = rows.values_list("image_id", "idle_purchases", "monthly_cost", "running")
    return {pk: ImageEffect(tuple(idle), cost, running) for pk, idle, cost, running in values}


def _found(
    images: Mapping[int, Judged], effects: Mapping[int, ImageEffect], *, at: datetime
) -> dict[int, list[Found]]:
    return {
        pk: list(_of_image(image, effects.get(pk, NO_EFFECT), at=at))
        for pk, image in images.items()
    }


def _of_image(image: Judged, effect: ImageEffect, *, at: datetime) -> Iterator[Found]:
    age = (at - image.created_at).days if image.created_at else None
    use = Use(image.running, len(effect.purchases), age)
    for violation in image.violations:
        # Told at one of its findings, so that a sum over all counts it once.
        told = effect if violation.rule in CODE_RULES else NO_EFFECT
        yield Found(
            raised(violation, use),
            cost=told.monthly if told.purchases else None,
            cause=image.cause,
            running=image.running,
            idle_purchases=told.purchases,
        )


def _idle(fleet: Fleet, applied: Applied, wrong: Mapping[int, Corrected]) -> dict[int, list[Found]]:
    lost = lost_codes(fleet, wrong.values())
    found = {}
    for row in fleet.rows.values():
        use, platform = applied.uses[row.pk], normalize_reserved_platform(row.product_description)
        broken = check(use, platform, lost, elsewhere(fleet, row, use))
        found[row.pk] = [Found(one, cost=monthly(use.idle_hourly_cost)) for one in broken]
    return found
