import pytest
from django.core.exceptions import PermissionDenied

from registry.models import Finding, Role, Run, TriageAction, TriageItem
from registry.triage import Refused, Wish, ledger, progress, readable, write_down
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_run,
    make_triage,
    make_user,
)

pytestmark = pytest.mark.django_db


def written(by, findings=None, *, query=""):
    wish = Wish(TriageAction.START, by)
    chosen = Finding.objects.all() if findings is None else findings
    return write_down(chosen, wish, query=query, at=NOON)


def of_each_kind(account):
    return [
        make_finding(image=make_image(account=account)),
        make_finding(instance=make_instance(account=account)),
        make_finding(reserved_instance=make_reserved_instance(account=account)),
    ]


def test_only_what_one_may_read_is_written_down():
    account = make_account()
    mine = of_each_kind(account)
    of_each_kind(make_account())
    user = make_user(Role.FINOPS, account=account)

    run = written(user)

    assert [item.finding for item in ledger(run, user).items] == mine
    assert list(readable(user).order_by("pk")) == mine


def test_the_ledger_shows_what_one_may_read_and_counts_it():
    account = make_account()
    [finding, *_] = of_each_kind(account)
    of_each_kind(make_account())
    run = written(make_user(Role.FINOPS), query="severity=high")
    run.triage.items.filter(finding=finding).update(state="left", note="It is waived already.")

    everything = ledger(run, make_user())
    part = ledger(run, make_user(account=account))

    assert everything.counts == {"pending": 5, "done": 0, "left": 1}
    assert everything.triage.query == "severity=high"
    assert part.counts == {"pending": 2, "done": 0, "left": 1}
    assert part.items.count() == 3
    assert ledger(make_run(), make_user()) is None


def test_the_ledger_is_read_in_a_few_queries_however_long(django_assert_num_queries):
    user = make_user()
    triage = make_triage()
    for _ in range(7):
        for finding in of_each_kind(make_account()):
            TriageItem.objects.create(triage=triage, finding=finding)

    with django_assert_num_queries(4):
        items = ledger(triage.run, user).items
        assert len({item.finding.thing.account.name for item in items}) == 7


def test_a_set_may_be_ordered_annotated_and_cut():
    first, second, _ = (make_finding(severity=level) for level in ("critical", "high", "low"))
    few = Finding.objects.for_list().most_urgent_first()[:2]

    run = written(make_user(Role.FINOPS), few)

    assert list(run.triage.items.values_list("finding", flat=True)) == [first.pk, second.pk]


@pytest.mark.parametrize("findings", [Finding.objects.none, Finding.objects.resolved])
def test_of_nothing_there_is_no_run(findings):
    make_finding()

    with pytest.raises(Refused) as refused:
        written(make_user(Role.FINOPS), findings())

    assert refused.value.errors == {"findings": "Choose at least one finding."}
    assert not Run.objects.exists()


def test_who_may_do_it_nowhere_is_told_at_once():
    make_finding()

    with pytest.raises(PermissionDenied, match="vic may not start work anywhere"):
        written(make_user(Role.VIEWER, username="vic"))

    assert not Run.objects.exists()


def test_a_long_set_takes_no_more_queries(django_assert_num_queries):
    image, user = make_image(), make_user(Role.FINOPS)
    Finding.objects.bulk_create(
        Finding(image=image, rule=f"R{number}", opened_at=NOON, checked_at=NOON)
        for number in range(2_000)
    )

    with django_assert_num_queries(6):
        run = written(user)

    assert progress(run.triage) == "2,000 to go"


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["done"], "1 done"),
        (["done", "left", "pending"], "1 done, 1 left as they are, 1 to go"),
        (["left", "left"], "2 left as they are"),
    ],
)
def test_how_far_it_has_come_is_said_in_words(states, words):
    triage = make_triage()
    for state in states:
        TriageItem.objects.create(triage=triage, finding=make_finding(), state=state)

    assert progress(triage) == words
