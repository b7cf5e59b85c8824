import threading
import time
from datetime import timedelta

import pytest
from django.db import DataError, connection, transaction

from registry.aws import ImageRecord
from registry.models import Change, Image, Run, RunKind, Scope
from registry.sync import Changes
from registry.sync.mirror import BATCH, amend, digest_of, mirror, mirror_some
from tests.data.items import image_item
from tests.factories import LATER, NOON, make_finding, make_scope
from tests.sync.versions import versions

pytestmark = pytest.mark.django_db
EARLIER = NOON - timedelta(hours=1)


def record(number=1, **members):
    return ImageRecord.parse(image_item(number, **members))


def records(count):
    return [record(number) for number in range(count)]


@pytest.fixture
def place(db):
    return make_scope()


def test_what_is_new_gets_a_row(place):
    changes = mirror(Image, place, [record()], at=NOON)

    row = Image.objects.get()
    assert changes == Changes(seen=1, new=1, changed=0, gone=0)
    assert (row.account, row.region) == (place.account, place.region)
    assert (row.first_seen_at, row.last_seen_at, row.gone_at) == (NOON, NOON, None)
    assert {name: getattr(row, name) for name in ImageRecord.__slots__} == {
        name: getattr(record(), name) for name in ImageRecord.__slots__
    }


def test_what_is_the_same_is_not_written(place):
    mirror(Image, place, records(3), at=NOON)
    before = versions(Image)

    changes = mirror(Image, place, records(3), at=LATER)

    assert changes == Changes(seen=3, new=0, changed=0, gone=0)
    assert versions(Image) == before


def test_what_differs_is_written_alone(place):
    mirror(Image, place, records(3), at=NOON)
    before = versions(Image)

    changes = mirror(Image, place, [*records(2), record(2, Name="renamed")], at=LATER)

    changed = record(2).aws_id
    after = versions(Image)
    assert changes == Changes(seen=3, new=0, changed=1, gone=0)
    assert {aws_id for aws_id in after if after[aws_id] != before[aws_id]} == {changed}
    assert Image.objects.get(aws_id=changed).name == "renamed"
    assert Image.objects.get(aws_id=changed).last_seen_at == LATER


@pytest.mark.parametrize(
    "members",
    [
        {"Tags": []},
        {"UsageOperation": ""},
        {"UsageOperation": None},
        {"BlockDeviceMappings": []},
        {"LastLaunchedTime": "2026-11-21T06:00:00Z"},
        {"EnaSupport": None},
    ],
    ids=str,
)
def test_a_difference_in_any_member_counts(place, members):
    mirror(Image, place, [record()], at=NOON)

    changes = mirror(Image, place, [record(**members)], at=LATER)

    assert changes.changed == 1


def test_what_is_gone_keeps_what_it_was(place):
    mirror(Image, place, [record(1, UsageOperation="RunInstances:0010"), record(2)], at=NOON)

    changes = mirror(Image, place, [record(2)], at=LATER)

    row = Image.objects.get(aws_id=record(1).aws_id)
    assert changes == Changes(seen=1, new=0, changed=0, gone=1)
    assert row.gone_at == LATER
    assert row.usage_operation == "RunInstances:0010"


def test_what_is_gone_was_seen_last_by_the_last_sync(place):
    mirror(Image, place, [record()], at=EARLIER)
    Scope.objects.update(synced_at=NOON)

    mirror(Image, place, [], at=LATER)

    assert Image.objects.get().last_seen_at == NOON


def test_what_is_gone_already_is_not_written_again(place):
    mirror(Image, place, [record()], at=EARLIER)
    mirror(Image, place, [], at=NOON)
    before = versions(Image)

    changes = mirror(Image, place, [], at=LATER)

    assert changes.gone == 0
    assert versions(Image) == before
    assert Image.objects.get().gone_at == NOON


def test_what_comes_back_is_the_same_row(place):
    mirror(Image, place, [record()], at=EARLIER)
    before = Image.objects.get()
    mirror(Image, place, [], at=NOON)

    changes = mirror(Image, place, [record()], at=LATER)

    row = Image.objects.get()
    assert changes == Changes(seen=1, new=0, changed=1, gone=0)
    assert row.pk == before.pk
    assert (row.first_seen_at, row.last_seen_at, row.gone_at) == (EARLIER, LATER, None)


def test_our_own_judgments_are_not_touched(place):
    mirror(Image, place, [record()], at=NOON)
    ours = {
        "declared": "RunInstances:0010",
        "verdict": "lost",
        "expected_usage_operation": "RunInstances:0010",
        "confidence": "strong",
        "source": "declared",
        "missing": ["RHEL"],
        "judged_at": NOON,
    }
    Image.objects.update(**ours)

    mirror(Image, place, [record(Name="renamed")], at=LATER)
    mirror(Image, place, [], at=LATER)
    mirror(Image, place, [record(Name="renamed")], at=LATER)

    assert Image.objects.values(*ours).get() == ours


def test_the_findings_of_what_is_gone_stay(place):
    mirror(Image, place, [record()], at=NOON)
    finding = make_finding(image=Image.objects.get())

    mirror(Image, place, [], at=LATER)

    finding.refresh_from_db()
    assert finding.image.is_gone


@pytest.mark.parametrize("other", [{"region": "us-east-1"}, {}], ids=["region", "account"])
def test_the_same_id_elsewhere_is_another_row(place, other):
    elsewhere = make_scope(**({"account": place.account} if other else {}), **other)
    mirror(Image, elsewhere, [record(Name="elsewhere")], at=NOON)

    mirror(Image, place, [record(Name="here")], at=NOON)
    mirror(Image, place, [], at=LATER)

    assert Image.objects.present().get().name == "elsewhere"


def test_of_a_thing_that_is_listed_twice_the_last_counts(place):
    changes = mirror(Image, place, [record(Name="old"), record(Name="new")], at=NOON)

    assert changes.seen == 1
    assert Image.objects.get().name == "new"


def test_an_answer_that_cannot_be_stored_changes_nothing(place):
    mirror(Image, place, records(2), at=NOON)
    before = versions(Image)
    unstorable = record(3)
    object.__setattr__(unstorable, "name", "x" * 300)

    with pytest.raises(DataError):
        mirror(Image, place, [record(0, Name="renamed"), unstorable], at=LATER)

    assert versions(Image) == before
    assert Image.objects.present().count() == 2


@pytest.mark.parametrize("count", [1, BATCH])
@pytest.mark.parametrize("known", [0, BATCH], ids=["new", "changed"])
def test_the_number_of_queries_does_not_grow(place, known, count, django_assert_num_queries):
    mirror(Image, place, records(known), at=NOON)
    changed = [record(number, UsageOperation="RunInstances:0010") for number in range(count)]

    with django_assert_num_queries(8):  # two for a savepoint
        mirror(Image, place, [*records(known), *changed], at=LATER)


@pytest.mark.parametrize("count", [1, 300])
def test_what_is_the_same_costs_two_queries(place, count, django_assert_num_queries):
    mirror(Image, place, records(count), at=NOON)

    with django_assert_num_queries(4):  # two for a savepoint
        mirror(Image, place, records(count), at=LATER)


@pytest.mark.parametrize("count", [1, 300])
def test_what_is_gone_is_marked_without_a_word_of_what_stays(
    place, count, django_assert_num_queries
):
    mirror(Image, place, records(count + 1), at=NOON)

    with django_assert_num_queries(7) as statements:  # two for a savepoint
        mirror(Image, place, records(count), at=LATER)

    (update,) = [row["sql"] for row in statements if row["sql"].startswith("UPDATE")]
    assert record(count).aws_id in update
    assert record(0).aws_id not in update


def test_more_than_a_batch_is_marked_gone(place):
    mirror(Image, place, records(BATCH + 2), at=NOON)

    changes = mirror(Image, place, records(1), at=LATER)

    assert changes.gone == BATCH + 1
    assert Image.objects.present().get().aws_id == record(0).aws_id


def test_more_than_a_batch_is_written(place):
    mirror(Image, place, records(BATCH + 1), at=NOON)

    assert Image.objects.count() == BATCH + 1


def test_what_appeared_while_aws_was_asked_is_not_gone(place):
    mirror_some(Image, place, [record()], at=LATER)

    changes = mirror(Image, place, [], at=NOON)

    assert changes.gone == 0
    assert not Image.objects.get().is_gone


def test_what_was_read_again_while_aws_was_asked_is_newer(place):
    mirror(Image, place, [record()], at=EARLIER)
    mirror_some(Image, place, [record(State="available")], at=LATER)

    changes = mirror(Image, place, [record(State="pending")], at=NOON)

    assert changes == Changes(seen=1, new=0, changed=0, gone=0)
    assert Image.objects.get().state == "available"


def test_an_answer_older_than_the_last_sync_changes_nothing(place):
    mirror(Image, place, [record(1), record(2)], at=EARLIER)
    Scope.objects.update(synced_at=LATER)

    changes = mirror(Image, place, [record(1, Name="old"), record(3)], at=NOON)

    assert changes == Changes(seen=2, new=0, changed=0, gone=0)
    assert Image.objects.present().count() == 2


def test_some_are_written_and_the_others_stay(place):
    mirror(Image, place, records(2), at=NOON)

    mirror_some(Image, place, [record(1, Name="read again")], at=LATER)

    assert list(Image.objects.present().order_by("pk").values_list("name", "last_seen_at")) == [
        ("web-0", NOON),
        ("read again", LATER),
    ]


def test_some_are_written_though_a_sync_was_later(place):
    mirror(Image, place, [record(State="pending")], at=LATER)

    mirror_some(Image, place, [record(State="available")], at=NOON)

    row = Image.objects.get()
    assert (row.state, row.first_seen_at, row.last_seen_at) == ("available", LATER, LATER)


def test_some_that_are_listed_twice_are_written_once(place):
    mirror_some(Image, place, [record(Name="old"), record(Name="new")], at=NOON)

    assert Image.objects.get().name == "new"


def test_what_was_done_to_an_image_is_newer_than_what_was_asked_for_before(place):
    mirror(Image, place, [record()], at=EARLIER)
    amend(Image.objects.get().pk, at=LATER, state="disabled")

    mirror(Image, place, [record(State="available")], at=NOON)

    row = Image.objects.get()
    assert (row.state, row.last_seen_at, row.name) == ("disabled", LATER, record().name)


def test_what_was_done_to_an_image_is_overruled_by_the_next_sync(place):
    mirror(Image, place, [record()], at=EARLIER)
    amend(Image.objects.get().pk, at=NOON, state="disabled")

    mirror(Image, place, [record()], at=LATER)

    assert Image.objects.get().state == "available"


def test_what_was_done_before_an_image_was_first_seen_keeps_the_order(place):
    mirror(Image, place, [record()], at=LATER)

    amend(Image.objects.get().pk, at=NOON, gone_at=NOON)

    row = Image.objects.get()
    assert (row.gone_at, row.last_seen_at) == (NOON, LATER)


def test_a_digest_does_not_depend_on_the_order_of_tags():
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]

    assert digest_of(record(Tags=tags)) == digest_of(record(Tags=tags[::-1]))


def until_somebody_waits():
    """Come back when another connection waits for a lock of this one."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            if cursor.fetchone():
                return
        time.sleep(0.01)
    raise TimeoutError("Nobody waits.")


@pytest.mark.django_db(transaction=True)
def test_two_syncs_of_a_scope_follow_each_other():
    place = make_scope()
    seen = []

    def sync_too():
        seen.append(mirror(Image, place, records(3), at=NOON))
        connection.close()

    other = threading.Thread(target=sync_too)
    with transaction.atomic():
        mirror(Image, place, records(3), at=NOON)
        other.start()
        until_somebody_waits()
    other.join()

    assert seen == [Changes(seen=3, new=0, changed=0, gone=0)]
    assert Image.objects.count() == 3
    assert Change.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_run_can_be_asked_for_while_a_scope_is_mirrored():
    place = make_scope()
    asked = []

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        Run.objects.create(kind=RunKind.SYNC, scope=place, requested_at=NOON)
        asked.append(True)
        connection.close()

    other = threading.Thread(target=ask)
    with transaction.atomic():
        mirror(Image, place, [record()], at=NOON)
        other.start()
        other.join()

    assert asked == [True]
