from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.aws import (
    ImageRecord,
    InstanceRecord,
    ReservedInstanceRecord,
    SnapshotRecord,
    VolumeRecord,
)
from registry.models import (
    EVERYTHING,
    Change,
    ChangeField,
    Image,
    Instance,
    ReservedInstance,
    Snapshot,
    Touched,
    Volume,
)
from registry.models.change import Presence
from registry.sync.history import FOLLOWED
from registry.sync.mirror import amend, mirror, mirror_some
from tests.data.items import (
    image_item,
    instance_item,
    reserved_item,
    snapshot_item,
    volume_item,
)
from tests.factories import LATER, NOON, make_scope

pytestmark = pytest.mark.django_db
EARLIER = NOON - timedelta(hours=1)
RHEL = "RunInstances:0010"


def image(number=1, **members):
    return ImageRecord.parse(image_item(number, **members))


def instance(number=1, **members):
    return InstanceRecord.parse(instance_item(number, **members))


KINDS = [
    pytest.param(Image, image, id="image"),
    pytest.param(Instance, instance, id="instance"),
]


@pytest.fixture
def place(db):
    return make_scope()


def told(model=Image):
    """Return the history of the only row, the oldest change first."""
    changes = Change.objects.of(model.objects.get())
    return [(c.field, c.before, c.after, c.at) for c in reversed(changes)]


def touched():
    rows = Touched.objects.exclude(kind=EVERYTHING)
    return sorted(rows.values_list("kind", "aws_id"))


@pytest.mark.parametrize(("model", "record"), KINDS)
def test_a_new_thing_has_one_change_it_is_there(place, model, record):
    mirror(model, place, [record()], at=NOON)

    assert told(model) == [("presence", None, "present", NOON)]


@pytest.mark.parametrize(("model", "record"), KINDS)
@pytest.mark.parametrize(
    ("member", "field", "values"),
    [
        ("UsageOperation", "usage_operation", ["RunInstances", RHEL]),
        ("UsageOperation", "usage_operation", ["RunInstances", ""]),
        ("UsageOperation", "usage_operation", ["", None]),
        ("UsageOperation", "usage_operation", [None, ""]),
        ("PlatformDetails", "platform_details", ["Linux/UNIX", "Windows"]),
    ],
)
def test_a_changed_code_is_kept(place, model, record, member, field, values):
    before, after = values
    mirror(model, place, [record(**{member: before})], at=NOON)

    mirror(model, place, [record(**{member: after})], at=LATER)

    assert told(model)[1:] == [(field, before, after, LATER)]


def test_a_changed_state_is_kept(place):
    mirror(Image, place, [image(State="pending")], at=NOON)

    mirror_some(Image, place, [image(State="available")], at=LATER)

    assert told()[1:] == [("state", "pending", "available", LATER)]


def test_an_instance_descends_from_its_image(place):
    mirror(Instance, place, [instance(ImageId="ami-1")], at=NOON)

    mirror(Instance, place, [instance(ImageId="ami-2")], at=LATER)

    assert told(Instance)[1:] == [("lineage", "ami-1", "ami-2", LATER)]


def test_what_is_not_followed_leaves_no_trace(place):
    mirror(Image, place, [image()], at=NOON)

    mirror(Image, place, [image(Name="renamed", Tags=[])], at=LATER)

    assert len(told()) == 1


@pytest.mark.parametrize(("model", "record"), KINDS)
def test_what_goes_and_comes_back_changed_tells_all_of_it(place, model, record):
    mirror(model, place, [record()], at=EARLIER)
    mirror(model, place, [], at=NOON)

    mirror(model, place, [record(UsageOperation=RHEL)], at=LATER)

    assert told(model)[1:] == [
        ("presence", "present", "gone", NOON),
        ("presence", "gone", "present", LATER),
        ("usage_operation", "RunInstances", RHEL, LATER),
    ]


def test_what_stays_or_was_gone_already_is_no_change(place):
    mirror(Image, place, [image(1), image(2)], at=EARLIER)
    mirror(Image, place, [image(1)], at=NOON)
    before = list(Change.objects.values_list("pk"))

    mirror(Image, place, [image(1)], at=LATER)

    assert list(Change.objects.values_list("pk")) == before


def test_what_was_read_before_the_last_look_is_dated_like_that(place):
    mirror(Image, place, [image(State="pending")], at=LATER)

    mirror_some(Image, place, [image(State="available")], at=NOON)

    assert told()[1:] == [("state", "pending", "available", LATER)]


def test_the_same_id_elsewhere_has_a_past_of_its_own(place):
    mirror(Image, make_scope(), [image(UsageOperation=RHEL)], at=EARLIER)

    mirror(Image, place, [image()], at=NOON)

    here = Image.objects.within(place).get()
    assert [change.before for change in Change.objects.of(here)] == [None]


def test_what_we_do_to_an_image_is_kept_like_what_is_seen(place):
    mirror(Image, place, [image()], at=EARLIER)
    Touched.objects.all().delete()
    row = Image.objects.get()

    amend(row.pk, at=NOON, state="disabled")
    amend(row.pk, at=LATER, gone_at=LATER)
    amend(row.pk, at=LATER, gone_at=LATER)

    assert told()[1:] == [
        ("state", "available", "disabled", NOON),
        ("presence", "present", "gone", LATER),
    ]
    assert touched() == [("image", row.aws_id)] * 3


@pytest.mark.parametrize(
    ("model", "record"),
    [
        *KINDS,
        pytest.param(Snapshot, lambda: SnapshotRecord.parse(snapshot_item()), id="snapshot"),
        pytest.param(Volume, lambda: VolumeRecord.parse(volume_item()), id="volume"),
    ],
)
def test_what_is_written_or_gone_is_for_the_next_audit(place, model, record):
    thing = (model._meta.model_name, record().aws_id)

    mirror(model, place, [record()], at=EARLIER)
    assert touched() == [thing]
    mirror(model, place, [record()], at=NOON)
    assert touched() == [thing]
    mirror(model, place, [], at=LATER)
    assert touched() == [thing] * 2


def test_purchases_are_audited_as_a_whole(place):
    mirror(ReservedInstance, place, [ReservedInstanceRecord.parse(reserved_item())], at=NOON)
    mirror(ReservedInstance, place, [], at=LATER)

    assert touched() == []
    assert not Change.objects.exists()


def test_an_answer_that_cannot_be_stored_has_no_history(place):
    mirror(Image, place, [image(1)], at=NOON)
    unstorable = image(2)
    object.__setattr__(unstorable, "name", "x" * 300)

    with pytest.raises(DataError):
        mirror(Image, place, [image(1, UsageOperation=RHEL), unstorable], at=LATER)

    assert len(told()) == 1
    assert len(touched()) == 1


def test_history_grows_by_whole_batches(place, monkeypatch):
    monkeypatch.setattr("registry.sync.mirror.BATCH", 2)
    mirror(Image, place, [image(number) for number in range(5)], at=EARLIER)
    mirror(Image, place, [image(number, State="failed") for number in range(5)], at=NOON)
    mirror(Image, place, [], at=LATER)

    assert all(
        [change.after for change in reversed(Change.objects.of(row))]
        == ["present", "failed", "gone"]
        for row in Image.objects.all()
    )


_times = st.sampled_from([EARLIER, NOON, LATER])
_image = st.builds(
    image,
    st.integers(1, 2),
    UsageOperation=st.sampled_from([None, "", "RunInstances", RHEL]),
    PlatformDetails=st.sampled_from([None, "Linux/UNIX"]),
    State=st.sampled_from(["pending", "available"]),
)
_answer = st.tuples(st.sampled_from([mirror, mirror_some]), st.lists(_image, max_size=2), _times)
_act = st.tuples(
    st.just(amend),
    st.sampled_from([{"state": "disabled"}, {"gone_at": NOON}, {"gone_at": None}]),
    _times,
)


def now(row):
    columns = {field: getattr(row, name) for field, name in FOLLOWED[Image].items()}
    return columns | {ChangeField.PRESENCE: Presence.of(row.gone_at)}


def replayed(row, first):
    """Return what a thing is by its history, each change of which follows the one before."""
    found = first | {ChangeField.PRESENCE: None}
    for change in reversed(Change.objects.of(row)):
        assert found[change.field] == change.before != change.after
        found[change.field] = change.after
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(_answer | _act, max_size=8))
def test_whatever_is_answered_the_history_leads_to_what_is(steps):
    place = make_scope()
    first: dict[int, Any] = {}

    for step, what, at in steps:
        if step is amend:
            for row in Image.objects.within(place):
                amend(row.pk, at=at, **what)
        else:
            step(Image, place, what, at=at)
        for row in Image.objects.within(place):
            first.setdefault(row.pk, now(row))

    for row in Image.objects.within(place):
        assert replayed(row, first[row.pk]) == now(row)
