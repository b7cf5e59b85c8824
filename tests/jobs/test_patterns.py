import pytest

from registry.jobs.patterns import delete_pattern, save_pattern
from registry.models import EVERYTHING, Pattern, Role, Run, Touched
from tests.factories import NOON, make_account, make_pattern, make_user

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


@pytest.fixture(autouse=True)
def _nothing_is_touched():
    Touched.objects.all().delete()


def test_a_saved_pattern_lets_everything_be_judged_again():
    ann = make_user(Role.ADMIN)
    row = Pattern(text="golden-*", usage_operation=RHEL)

    run = save_pattern(row, by=ann)

    saved = Pattern.objects.get()
    assert (saved.text, saved.changed_by) == ("golden-*", ann)
    assert saved.changed_at > NOON
    assert (run.kind, run.requested_by) == ("audit", ann)
    assert list(Touched.objects.values_list("kind", flat=True)) == [EVERYTHING]


def test_a_deleted_pattern_lets_everything_be_judged_again():
    run = delete_pattern(make_pattern(), by=make_user(Role.ADMIN))

    assert not Pattern.objects.exists()
    assert run.kind == "audit"
    assert list(Touched.objects.values_list("kind", flat=True)) == [EVERYTHING]


@pytest.mark.parametrize("act", [save_pattern, delete_pattern])
@pytest.mark.parametrize("has_account", [False, True], ids=["engineer", "admin of one account"])
def test_only_who_manages_all_accounts_changes_patterns(act, has_account):
    row = make_pattern(text="golden-*")
    row.text = "other"
    account = make_account() if has_account else None
    person = make_user(Role.ADMIN if has_account else Role.ENGINEER, account=account)

    with pytest.raises(PermissionError, match="may not change patterns"):
        act(row, by=person)

    assert Pattern.objects.get().text == "golden-*"
    assert not Run.objects.exists()
    assert not Touched.objects.exists()
