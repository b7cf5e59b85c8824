import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.audit import audit
from registry.models import Finding, Image
from tests.factories import LATER, NOON, make_account, make_image, make_pattern, make_scope

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def dry_run(**options):
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("audit", dry_run=True, stdout=out, **options)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def test_what_an_audit_would_change_is_told_and_not_written():
    here = make_scope(account=make_account(number="111111111111"), region="us-east-1")
    wrong = make_image(declared=RHEL, account=here.account, region=here.region)
    right = make_image(declared=RHEL, account=here.account, region=here.region)
    audit(at=NOON)
    Image.objects.filter(pk=right.pk).update(usage_operation=RHEL)
    Finding.objects.filter(image=wrong).update(resolved_at=NOON, state="resolved")
    before = list(Image.objects.order_by("pk").values()), list(Finding.objects.values())

    code, out = dry_run()

    assert code == 1
    opens, over, changed, total = out.splitlines()
    place = "111111111111 us-east-1"
    assert opens == f"{place} {wrong.aws_id}: AMI001 would open"
    assert over == f"{place} {right.aws_id}: AMI001 would be resolved"
    assert changed == (
        f"{place} {right.aws_id}: lost, expected {RHEL}, would be ok, expected {RHEL}"
    )
    assert total == (
        "2 images judged: 1 findings would open, 1 would be resolved, 1 images would be judged "
        "otherwise. Nothing was written."
    )
    assert (list(Image.objects.order_by("pk").values()), list(Finding.objects.values())) == before


def test_the_same_for_machines():
    image = make_image(declared=RHEL, account=make_account(number="111111111111"))

    code, out = dry_run(format="json")

    assert code == 1
    name = {"account": "111111111111", "region": "eu-west-1", "image_id": image.aws_id}
    assert json.loads(out) == {
        "schema_version": 1,
        "judged": 1,
        "added": [name | {"rule": "AMI001"}],
        "removed": [],
        "changed": [
            name
            | {
                "before": {"verdict": "unknown", "expected": None},
                "after": {"verdict": "lost", "expected": RHEL},
            }
        ],
    }


def test_where_an_audit_would_change_nothing_the_exit_code_is_zero():
    make_image(declared=RHEL)
    audit(at=NOON)

    code, out = dry_run()

    assert code == 0
    assert out.startswith("1 images judged: 0 findings would open")


def test_one_account_or_region_can_be_asked_for():
    one = make_scope(account=make_account(number="111111111111"), region="us-east-1")
    other = make_scope(account=make_account(number="222222222222"), region="eu-west-1")
    for scope in (one, other):
        make_image(declared=RHEL, account=scope.account, region=scope.region)
        make_image(declared=RHEL, account=scope.account, region=scope.region, name="rhel9")

    for options in ({"account": "111111111111"}, {"region": "us-east-1"}):
        lines = dry_run(**options)[1].splitlines()
        assert lines[-1].startswith("2 images judged")
        assert all(line.startswith("111111111111 us-east-1") for line in lines[:-1])


def test_a_pattern_that_is_off_can_be_tried():
    image = make_image(name="golden-1")
    row = make_pattern(text="golden-*", is_active=False)
    audit(at=NOON)

    code, out = dry_run(pattern=row.pk)

    assert code == 1
    assert f"{image.aws_id}: AMI001 would open" in out
    row.is_active = True
    row.save()
    audit(at=LATER)
    assert Finding.objects.open().filter(rule="AMI001", image=image).exists()
    assert dry_run() == (0, dry_run(pattern=row.pk)[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dry_run": True, "pattern": 404}, "There is no pattern 404."),
        ({"pattern": 1}, "--pattern goes with --dry-run."),
        ({"dry_run": True, "account": "404404404404"}, "There is no account"),
    ],
)
def test_what_is_not_there_is_an_error(options, words):
    with pytest.raises(CommandError, match=words) as raised:
        call_command("audit", **options)

    assert raised.value.returncode == 2


def test_a_dry_run_is_of_now():
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("audit", "--dry-run", "--as-of", "2026-11-01")
