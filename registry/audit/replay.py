"""A changed pattern or rule, replayed on the mirror: what would come of it. Nothing is written."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from registry.audit.facts import examine
from registry.audit.images import judge_gone
from registry.audit.known import Known
from registry.audit.patterns import PAGE, Said, fitting, in_force
from registry.billing.own_patterns import OwnPattern
from registry.models import Finding, Image
from registry.models.image import ImageQuerySet

MOST = 5_000  # images that are judged while somebody waits
FEW = 50  # more are judged faster by the whole graph
_NEW = sys.maxsize  # a new pattern comes after all others


@dataclass(frozen=True, slots=True)
class Subject:
    """An image, as far as it is told of."""

    pk: int
    aws_id: str
    name: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an image is judged to be."""

    expected: str | None
    verdict: str
    rules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Changed:
    """An image of which another code is expected, or that gets another verdict."""

    image: Subject
    before: Outcome
    after: Outcome


@dataclass(slots=True)
class Replay:
    """The findings that would be opened and resolved, and the images judged otherwise."""

    judged: int = 0
    added: list[tuple[Subject, str]] = field(default_factory=list)
    removed: list[tuple[Subject, str]] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a pattern would do: which images it fits, and what comes of it.

    `replay` is None where too many images would have to be judged.
    """

    fits: tuple[int, ...]  # keys of images
    concerns: int
    replay: Replay | None


Judge = Callable[[Image], Outcome]


def replay(images: Iterable[Image], before: Judge, after: Judge) -> Replay:
    """Judge each image twice and tell the difference."""
    found = Replay()
    for image in images:
        one, other = before(image), after(image)
        found.judged += 1
        if one == other:
            continue
        subject = _subject(image)
        found.added += [(subject, rule) for rule in sorted(other.rules - one.rules)]
        found.removed += [(subject, rule) for rule in sorted(one.rules - other.rules)]
        if (one.expected, one.verdict) != (other.expected, other.verdict):
            found.changed.append(Changed(subject, one, other))
    return found


def judged_by(known: Known) -> Judge:
    """Judge as an audit does that knows this."""

    def judge(image: Image) -> Outcome:
        found = examine(image, known)
        rules = frozenset(violation.rule for violation in found.violations)
        values = found.values
        return Outcome(values["expected_usage_operation"], values["verdict"], rules)

    return judge


def replay_mirror(images: ImageQuerySet, known: Known) -> Replay:
    """Judge images by the rules as they are now; tell what differs from what is stored.

    Of an image that is gone only its instances tell, as in an audit.
    """
    rules: dict[int, set[str]] = defaultdict(set)
    still_open = Finding.objects.open().filter(image__in=images)
    for pk, rule in still_open.values_list("image_id", "rule").iterator(chunk_size=PAGE):
        rules[pk].add(rule)
    left = judge_gone()

    def stored(image: Image) -> Outcome:
        known_rules = frozenset(rules.get(image.pk, ()))
        return Outcome(image.expected_usage_operation, image.verdict, known_rules)

    def gone(image: Image) -> Outcome:
        violations = left[image.pk].violations if image.pk in left else ()
        return replace(stored(image), rules=frozenset(one.rule for one in violations))

    # What appeared since the graph was read waits for the next audit.
    rows = (row for row in _rows(images) if row.aws_id in known.inventory.images)
    found = replay(rows, stored, judged_by(known))
    was_there = images.gone().filter(pk__in={*rules, *left})
    of_gone = replay(_told(was_there), stored, gone)
    found.added += of_gone.added
    found.removed += of_gone.removed
    return found


def try_pattern(key: int | None, pattern: OwnPattern, *, is_active: bool) -> Trial:
    """Tell what comes of a pattern if it is so, and in force or not; `key` is None of a new one.

    What an image is judged to be depends on no other's judgment: only those that the pattern fits,
    as it was or as it is to be, can change.
    """
    now = in_force()
    fits, fitted = fitting(Image.objects.present(), [pattern, now.get(key or 0, pattern)])
    concerned = set(fits if is_active else ()) | set(fitted if key in now else ())
    if len(concerned) > MOST:
        return Trial(tuple(fits), len(concerned), None)
    then = {pk: one for pk, one in now.items() if pk != key}
    if is_active:
        then[key or _NEW] = pattern
    images = list(_rows(Image.objects.filter(pk__in=concerned)))
    ids = [image.aws_id for image in images]
    before = Known.of(ids) if len(ids) <= FEW else Known.load()
    after = with_patterns(before, then)
    found = replay(images, judged_by(before), judged_by(after))
    return Trial(tuple(fits), len(concerned), found)


def with_patterns(known: Known, patterns: Mapping[int, OwnPattern]) -> Known:
    """Return the same knowledge with these patterns in force, by primary key."""
    said = Said(tuple(patterns[pk] for pk in sorted(patterns)), known.said.people)
    return replace(known, said=said)


def _rows(images: ImageQuerySet) -> Iterator[Image]:
    return _told(images.present())


def _told(images: ImageQuerySet) -> Iterator[Image]:
    # What was judged before is not looked at, and is most of a row.
    rows = images.select_related("account").defer("evidence", "lineage").order_by("pk")
    return rows.iterator(chunk_size=PAGE)


def _subject(image: Image) -> Subject:
    return Subject(image.pk, image.aws_id, image.name, image.account.number, image.region)
