import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.audit import audit
from registry.audit.known import Known
from registry.audit.patterns import as_own
from registry.audit.replay import replay_mirror, try_pattern
from registry.billing.own_patterns import OwnPattern
from registry.models import Change, Finding, Image, Pattern
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_pattern,
)

pytestmark = pytest.mark.django_db
PLAIN, RHEL, SUSE, WINDOWS = (
    *("RunInstances", "RunInstances:0010", "RunInstances:000g"),
    "RunInstances:0002",
)


def of_name(text, code=RHEL, strength="strong", **fields):
    return OwnPattern("name", "", text, code, strength, **fields)


def told(pairs):
    return {(image.aws_id, rule) for image, rule in pairs}


def open_now():
    return set(Finding.objects.open().values_list("image__aws_id", "rule"))


def judged_now():
    rows = Image.objects.values_list("aws_id", "expected_usage_operation", "verdict")
    return {aws_id: tuple(said) for aws_id, *said in rows}


def test_a_new_pattern_tells_what_it_would_open():
    image, _ = make_image(name="golden-1"), make_image(name="other")
    audit(at=NOON)

    found = try_pattern(None, of_name("golden-*"), is_active=True)

    assert (found.fits, found.concerns) == ((image.pk,), 1)
    assert told(found.replay.added) == {(image.aws_id, "AMI001")}
    assert found.replay.removed == []
    (changed,) = found.replay.changed
    assert (changed.image.aws_id, changed.image.account) == (image.aws_id, image.account.number)
    assert (changed.before.expected, changed.before.verdict) == (None, "unknown")
    assert (changed.after.expected, changed.after.verdict) == (RHEL, "lost")


def test_trying_writes_nothing():
    make_image(name="golden-1")
    audit(at=NOON)
    before = list(Image.objects.values())

    try_pattern(None, of_name("golden-*"), is_active=True)

    assert list(Image.objects.values()) == before
    assert (open_now(), Change.objects.filter(at__gt=NOON).exists()) == (set(), False)
    assert not Pattern.objects.exists()


def test_what_a_pattern_fitted_before_is_judged_too():
    one, other = make_image(name="golden-1"), make_image(name="silver-1")
    row = make_pattern(text="golden-*", usage_operation=RHEL)
    audit(at=NOON)

    found = try_pattern(row.pk, of_name("silver-*"), is_active=True)

    assert (found.fits, found.concerns) == ((other.pk,), 2)
    assert told(found.replay.added) == {(other.aws_id, "AMI001")}
    assert told(found.replay.removed) == {(one.aws_id, "AMI001")}


def test_a_pattern_that_is_switched_off_resolves_what_it_opened():
    image = make_image(name="golden-1")
    row = make_pattern(text="golden-*", usage_operation=RHEL)
    audit(at=NOON)

    found = try_pattern(row.pk, as_own(row), is_active=False)

    assert (found.fits, found.concerns) == ((image.pk,), 1)
    assert told(found.replay.removed) == {(image.aws_id, "AMI001")}


def test_a_pattern_that_is_not_in_force_and_stays_so_does_nothing():
    image = make_image(name="golden-1")
    row = make_pattern(text="golden-*", usage_operation=RHEL, is_active=False)

    found = try_pattern(row.pk, as_own(row), is_active=False)

    assert (found.fits, found.concerns) == ((image.pk,), 0)
    assert found.replay.is_empty


def test_more_than_can_be_waited_for_is_counted_and_not_judged(monkeypatch):
    monkeypatch.setattr("registry.audit.replay.MOST", 1)
    make_image(name="golden-1"), make_image(name="golden-2")

    found = try_pattern(None, of_name("golden-*"), is_active=True)

    assert (len(found.fits), found.concerns, found.replay) == (2, 2, None)


def test_what_is_gone_is_not_tried():
    make_image(name="golden-1", gone_at=NOON)

    assert try_pattern(None, of_name("golden-*"), is_active=True).fits == ()


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries):
    make_image(name="golden-1")
    with django_assert_max_num_queries(12) as few:
        try_pattern(None, of_name("golden-*"), is_active=True)
    for _ in range(40):
        make_image(name="golden-1")

    with django_assert_max_num_queries(len(few)):
        try_pattern(None, of_name("golden-*"), is_active=True)


names = st.sampled_from(["golden-1", "golden-rhel9", "silver-win2019", "sles15"])
texts = st.sampled_from(["golden-*", "*1", "silver*", "*e*", "none"])
own: st.SearchStrategy[dict[str, str]] = st.builds(
    dict,
    text=texts,
    usage_operation=st.sampled_from([PLAIN, RHEL, SUSE, WINDOWS]),
    strength=st.sampled_from(["strong", "medium", "weak"]),
    is_active=st.booleans(),
)
kinds = st.sampled_from([{"kind": "name"}, {"kind": "tag", "key": "os"}])


@settings(max_examples=25)
@given(
    images=st.lists(
        st.tuples(names, names, st.sampled_from([PLAIN, RHEL, SUSE, ""]), st.integers(0, 1)),
        min_size=1,
        max_size=4,
    ),
    others=st.lists(own, max_size=2, unique_by=lambda fields: fields["text"]),
    before=own | st.none(),
    after=own,
    kind=kinds,
    place=st.integers(-1, 1),
)
@example(  # of two policies that contradict each other, the older decides
    images=[("golden-1", "golden-1", PLAIN, 0)],
    others=[{"text": "golden-*", "usage_operation": SUSE, "strength": "strong", "is_active": True}],
    before=None,
    after={"text": "*1", "usage_operation": RHEL, "strength": "strong", "is_active": True},
    kind={"kind": "name"},
    place=-1,
)
def test_the_next_audit_does_what_the_replay_told(images, others, before, after, kind, place):
    with transaction.atomic():
        accounts = [make_account(), make_account()]
        for name, tag, code, number in images:
            make_image(name=name, tags={"OS": tag}, usage_operation=code, account=accounts[number])
        bound = {"account": accounts[place] if place >= 0 else None}
        row = make_pattern(**kind, **bound, **before) if before else None
        for fields in others:
            make_pattern(kind="tag", key="Os", **fields)
        audit(at=NOON)
        findings, judged = open_now(), judged_now()

        wanted = Pattern(pk=row.pk if row else None, changed_at=NOON, **kind, **bound, **after)
        found = try_pattern(wanted.pk, as_own(wanted), is_active=wanted.is_active)
        wanted.save()
        audit(at=LATER)

        assert told(found.replay.added) == open_now() - findings
        assert told(found.replay.removed) == findings - open_now()
        now = judged_now()
        assert {
            one.image.aws_id: (one.after.expected, one.after.verdict)
            for one in found.replay.changed
        } == {aws_id: said for aws_id, said in now.items() if said != judged[aws_id]}
        transaction.set_rollback(True)


def test_the_mirror_is_compared_with_what_is_stored():
    wrong, right = make_image(declared=RHEL), make_image(declared=RHEL, usage_operation=RHEL)
    make_finding(image=right, rule="AMI001"), make_finding(image=right, rule="AMI999")
    gone = make_finding(image=make_image(gone_at=NOON)).image

    found = replay_mirror(Image.objects.all(), Known.load())

    assert found.judged == 2
    assert told(found.added) == {(wrong.aws_id, "AMI001")}
    assert told(found.removed) == {
        (right.aws_id, "AMI001"),
        (right.aws_id, "AMI999"),
        (gone.aws_id, "AMI001"),
    }


def test_of_an_image_that_is_gone_its_instances_tell():
    image, _ = make_image(declared=RHEL), make_image()
    make_instance(image_id=image.aws_id)
    audit(at=NOON)
    Image.objects.filter(pk=image.pk).update(gone_at=LATER)

    found = replay_mirror(Image.objects.all(), Known.load())
    of_others = replay_mirror(Image.objects.exclude(pk=image.pk), Known.load())

    assert told(found.added) == {(image.aws_id, "AMI013")}
    assert told(found.removed) == {(image.aws_id, "AMI001"), (image.aws_id, "AMI012")}
    assert (found.judged, found.changed) == (1, [])
    assert of_others.is_empty


def test_an_audited_mirror_is_as_it_would_be():
    make_image(declared=RHEL), make_image(name="rhel9")
    make_instance(image_id=make_image(gone_at=NOON).aws_id)
    audit(at=NOON)

    assert replay_mirror(Image.objects.all(), Known.load()).is_empty
