import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from registry.models import Finding
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_reserved_instance,
    make_scope,
)

RHEL = "RunInstances:0010"


def run(**options):
    """Return the exit code and what was printed."""
    out, err = StringIO(), StringIO()
    try:
        call_command("audit", stdout=out, stderr=err, **options)
    except SystemExit as ended:
        return ended.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(("declared", "code"), [("RunInstances", 0), (RHEL, 1)])
def test_the_exit_code_tells_whether_there_are_findings(form, declared, code):
    make_image(declared=declared)

    ended, _, _ = run(format=form)

    assert ended == code


@pytest.mark.django_db
def test_an_instance_that_differs_from_its_image_is_a_finding():
    image = make_image(usage_operation=RHEL)
    machine = make_instance(image_id=image.aws_id, usage_operation="RunInstances:000g")

    ended, out, _ = run(format="text")

    assert ended == 1
    assert f"{machine.aws_id}: INS001" in out


@pytest.mark.django_db
def test_an_empty_mirror_has_no_findings():
    ended, out, _ = run(format="json")

    assert ended == 0
    assert json.loads(out) | {"as_of": ""} == {
        "schema_version": 1,
        "as_of": "",
        "images": [],
        "reserved_instances": [],
        "instances": [],
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"account": "111111111111"}, 1),
        ({"account": "222222222222"}, 0),
        ({"region": "us-east-1"}, 1),
        ({"region": "eu-west-1"}, 0),
        ({"account": "111111111111", "region": "us-east-1"}, 1),
        ({"account": "111111111111", "region": "eu-west-1"}, 0),
    ],
)
@pytest.mark.parametrize("kind", ["image", "purchase"])
def test_only_findings_of_the_part_that_is_asked_for_count(kind, options, code):
    one, two = make_account(number="111111111111"), make_account(number="222222222222")
    for account, region in ((one, "us-east-1"), (one, "eu-west-1"), (two, "eu-west-1")):
        make_scope(account=account, region=region)
    if kind == "image":
        make_image(account=one, region="us-east-1", declared=RHEL)
    else:
        make_reserved_instance(account=one, region="us-east-1")

    ended, _, _ = run(**options)

    assert ended == code


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "code"), [("waived", 0), ("in_progress", 1)])
def test_what_somebody_has_waived_does_not_count(state, code):
    make_image(declared=RHEL)
    run()
    Finding.objects.update(state=state)

    ended, _, _ = run()

    assert ended == code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"account": "000000000000"}, "no account 000000000000"),
        ({"region": "nowhere-1"}, "no region nowhere-1"),
        ({"account": "111111111111", "region": "eu-west-1"}, "of account 111111111111"),
    ],
)
def test_a_place_that_is_not_known_is_an_error(options, words):
    make_scope(account=make_account(number="111111111111"), region="us-east-1")
    make_scope(region="eu-west-1")

    with pytest.raises(CommandError, match=words) as raised:
        run(**options)

    assert raised.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["registry_account", "registry_cover"])
def test_a_database_that_fails_is_an_error_and_not_a_finding(table):
    make_account(number="111111111111")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")

    with pytest.raises(CommandError, match="The audit failed") as raised:
        run(account="111111111111")

    assert raised.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "as_of"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T12:00:00+02:00", "2026-11-24T10:00:00Z"),
        ("2026-11-24", "2026-11-24T00:00:00Z"),
    ],
)
def test_a_recording_is_judged_as_of_its_time(text, as_of):
    out = StringIO()

    call_command("audit", "--as-of", text, "--format", "json", stdout=out)

    assert json.loads(out.getvalue())["as_of"] == as_of


@pytest.mark.django_db
def test_a_purchase_that_is_over_by_now_is_judged_as_of_the_recording():
    account = make_account()
    make_instance(account=account)
    make_reserved_instance(account=account, start_at=NOON.replace(year=2019), end_at=NOON)
    out = StringIO()

    call_command("audit", "--as-of", "2020-01-01", "--format", "json", stdout=out)

    (bought,) = json.loads(out.getvalue())["reserved_instances"]
    assert bought["used"] == 1.0


@pytest.mark.django_db
def test_the_text_names_what_is_wrong_and_what_it_costs():
    account = make_account(number="111111111111")
    image = make_image(account=account, region="us-east-1", declared=RHEL)
    bought = make_reserved_instance(account=account, region="us-east-1", instance_count=3)
    make_image(account=account, region="us-east-1")

    _, out, _ = run(as_of=NOON)

    lost, idle, total = out.splitlines()
    assert lost == (
        f"111111111111 us-east-1 {image.aws_id}: lost, billed as RunInstances, "
        f"expected {RHEL} (strong, declared)"
    )
    assert idle == (
        f"111111111111 us-east-1 {bought.aws_id}: 3 of 3 idle (no_instance_of_type), 0.15 per hour"
    )
    assert total == "2 images, 1 purchases judged as of 2026-11-24T12:00:00Z."


@pytest.mark.django_db
def test_the_text_says_where_a_cost_or_a_code_is_not_known():
    make_image(declared=RHEL, usage_operation="", platform_details="")
    make_reserved_instance(fixed_price=None)

    _, out, _ = run()

    assert "billed as nothing" in out
    assert "cost unknown" in out


@pytest.mark.django_db
def test_purchases_that_are_not_active_are_no_waste():
    make_reserved_instance(state="retired")

    ended, out, _ = run()

    assert ended == 0
    assert "idle" not in out


@pytest.mark.django_db
def test_scopes_that_were_not_read_are_told_beside_the_answer():
    never = make_scope()
    failing = make_scope(synced_at=NOON, failing_since=NOON, failed_at=NOON, error="Denied.")
    make_scope(is_enabled=False)

    _, out, err = run(format="json")

    assert json.loads(out)
    assert err.splitlines() == [
        f"{never} has never been read.",
        f"{failing} can't be read since {NOON}: Denied.",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("declared", "arguments", "code"),
    [
        ("RunInstances", [], 0),
        (RHEL, [], 1),
        (RHEL, ["--account", "000000000000"], 2),
        (RHEL, ["--as-of", "yesterday"], 2),
        (RHEL, ["--colour"], 2),
    ],
    ids=["no finding", "a finding", "no such account", "no time", "no such option"],
)
def test_a_shell_sees_the_exit_code(declared, arguments, code):
    make_image(declared=declared)
    database = os.environ["DATABASE_URL"].replace(
        "postgres?", f"{connection.settings_dict['NAME']}?"
    )
    command = [sys.executable, "manage.py", "audit", "--format", "json", *arguments]

    ended = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "amiportal.settings"},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == code
    assert bool(ended.stdout) == (code != 2)


@pytest.mark.django_db
def test_what_would_be_at_another_time_changes_nothing():
    image = make_image(declared=RHEL)

    with pytest.raises(SystemExit):
        call_command("audit", "--as-of", "2020-01-01", stdout=StringIO())

    image.refresh_from_db()
    assert image.verdict == ""
    assert not Finding.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("as_of", [None, NOON])
def test_what_one_change_would_do_is_told_where_it_is_asked_for(as_of):
    account = make_account()
    image = make_image(account=account, declared=RHEL)
    make_instance(account=account, image_id=image.aws_id)
    platform = "Red Hat Enterprise Linux"
    bought = make_reserved_instance(account=account, product_description=platform)

    _, out, _ = run(format="json", changes=True, as_of=as_of)
    _, without, _ = run(format="json")

    assert json.loads(out)["changes"] == [
        {
            "kind": "image",
            "name": image.aws_id,
            "images": [image.aws_id],
            "instances": 1,
            "gained": {bought.aws_id: 1},
            "lost": {},
            "hourly": "0.05",
            "adds": {"units": 1, "hourly": "0.05"},
        }
    ]
    assert "changes" not in json.loads(without)


@pytest.mark.django_db
@pytest.mark.parametrize(("region", "number"), [("eu-west-1", 1), ("us-east-1", 0)])
def test_changes_are_those_of_the_part_that_is_asked_for(region, number):
    account = make_account()
    make_scope(account=account, region="us-east-1")
    make_scope(account=account)
    image = make_image(account=account, declared=RHEL)
    make_instance(account=account, image_id=image.aws_id)
    make_reserved_instance(account=account, product_description="Red Hat Enterprise Linux")

    _, out, _ = run(format="json", changes=True, account=account.number, region=region)

    assert len(json.loads(out)["changes"]) == number


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"format": "text"}, {"format": "json", "dry_run": True}])
def test_changes_are_told_in_json_of_an_audit_only(options):
    with pytest.raises(CommandError) as raised:
        run(changes=True, **options)

    assert raised.value.returncode == 2
