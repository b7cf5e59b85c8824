import threading

import pytest
from django.db import OperationalError, connection, transaction

from registry.audit import AuditCounts, audit, judge_images
from registry.audit.rows import one_at_a_time
from registry.models import Finding, FindingState, Image, Instance, ReservedInstance
from registry.sync import mirror_images
from tests.data.items import image_item, put
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def test_images_and_purchases_are_audited():
    account = make_account()
    make_image(account=account, declared=RHEL)
    make_image(account=account, declared="RunInstances")
    bought = make_reserved_instance(account=account)

    counts = audit(at=NOON)

    assert counts == AuditCounts(images=2, purchases=1, findings=2)
    rules = Finding.objects.open().order_by("rule").values_list("rule", flat=True)
    assert list(rules) == ["AMI001", "RI002"]
    assert str(Finding.objects.get(reserved_instance=bought).monthly_cost) == "36.50"


def test_a_code_put_right_resolves_its_finding():
    image = make_image(declared=RHEL)
    audit(at=NOON)
    Image.objects.update(usage_operation=RHEL)

    counts = audit(at=LATER)

    assert counts.findings == 0
    assert image.findings.get().state == FindingState.RESOLVED


def test_an_image_that_goes_takes_its_findings_with_it():
    image = make_image(declared=RHEL)
    audit(at=NOON)
    Image.objects.update(gone_at=LATER)

    audit(at=LATER)

    finding = image.findings.get()
    assert (finding.state, finding.resolved_at) == (FindingState.RESOLVED, LATER)


def test_a_purchase_that_goes_takes_its_findings_with_it():
    bought = make_reserved_instance()
    audit(at=NOON)
    ReservedInstance.objects.update(gone_at=LATER)

    audit(at=LATER)

    assert bought.findings.get().state == FindingState.RESOLVED


def test_an_image_that_comes_back_opens_its_findings_again():
    image = make_image(declared=RHEL)
    audit(at=NOON)
    Image.objects.update(gone_at=NOON)
    audit(at=NOON)
    Image.objects.update(gone_at=None)

    audit(at=LATER)

    assert image.findings.open().get().state == FindingState.REOPENED


def test_an_idle_purchase_that_is_used_again_is_resolved():
    account = make_account()
    bought = make_reserved_instance(account=account)
    audit(at=NOON)
    make_instance(account=account)

    audit(at=LATER)

    assert bought.findings.get().state == FindingState.RESOLVED


def test_auditing_twice_changes_nothing():
    make_image(declared=RHEL)
    make_reserved_instance()
    audit(at=NOON)
    before = list(Finding.objects.order_by("pk").values("pk", "state", "opened_at", "message"))

    counts = audit(at=LATER)

    assert counts.findings == 2
    assert list(Finding.objects.order_by("pk").values(*before[0])) == before


def test_an_audit_as_of_an_earlier_time_is_possible_after_a_later_one():
    image = make_image(declared=RHEL)
    audit(at=LATER)
    Image.objects.update(usage_operation=RHEL)

    audit(at=NOON)

    assert image.findings.get().resolved_at == LATER


def test_some_images_are_judged_and_the_findings_of_others_stay():
    image, other = make_image(declared=RHEL), make_finding()

    judge_images([image], at=NOON)

    other.refresh_from_db()
    assert image.findings.open().count() == 1
    assert other.state == FindingState.OPEN


def test_what_was_read_again_is_judged_again(aws, ec2, scope):
    put(aws, image_item(Tags=[{"Key": "os", "Value": "RHEL 9"}]))
    images = mirror_images(ec2.list_images(), scope, at=NOON)

    judge_images(images, at=NOON)

    assert Image.objects.get().verdict == "lost"


@pytest.mark.parametrize("count", [1, 25])
def test_the_number_of_queries_does_not_grow(count, django_assert_num_queries):
    account = make_account()
    for _ in range(count):
        make_image(account=account, declared=RHEL)
        make_instance(account=account)
        make_reserved_instance(account=account, instance_count=2)

    with django_assert_num_queries(77):
        audit(at=NOON)


def test_what_runs_raises_the_severity():
    quiet, busy = (make_image(declared=RHEL, created_at=NOON) for _ in range(2))
    make_instance(image_id=busy.aws_id)

    audit(at=NOON)

    rows = Finding.objects.filter(rule="AMI001").order_by("image_id")
    assert list(rows.values_list("image", "severity")) == [
        (quiet.pk, "high"),
        (busy.pk, "critical"),
    ]


def test_instances_on_an_image_that_is_gone_are_a_finding_until_they_stop():
    image = make_image(gone_at=NOON)
    make_instance(image_id=image.aws_id)

    audit(at=NOON)
    finding = Finding.objects.get()
    assert (finding.image, finding.rule, finding.running) == (image, "AMI013", 1)

    Instance.objects.update(state="stopped")
    audit(at=LATER)
    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED


def test_an_instance_that_was_converted_is_a_finding_until_it_is_gone():
    image = make_image(usage_operation="RunInstances:0800", platform_details="Windows BYOL")
    machine = make_instance(
        image_id=image.aws_id,
        usage_operation="RunInstances:0002",
        platform_details="Windows",
        usage_operation_updated_at=LATER,
    )

    audit(at=LATER)
    finding = Finding.objects.get()
    assert (finding.instance, finding.rule, finding.severity) == (machine, "INS001", "low")

    Instance.objects.update(gone_at=LATER)
    audit(at=LATER)
    assert not Finding.objects.open().exists()


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_a_terminated_instance_takes_its_findings_with_it(state):
    image = make_image(usage_operation=RHEL)
    machine = make_instance(image_id=image.aws_id)
    make_instance(image_id=image.aws_id, state=state)
    audit(at=NOON)
    assert [finding.instance for finding in Finding.objects.open()] == [machine]

    Instance.objects.update(state=state)
    audit(at=LATER)

    assert not Finding.objects.open().exists()


def test_an_instance_that_agrees_again_resolves_its_finding():
    image = make_image(usage_operation=RHEL)
    make_instance(image_id=image.aws_id, usage_operation="RunInstances:000g")
    audit(at=NOON)
    Instance.objects.update(usage_operation=RHEL, platform_details=image.platform_details)

    audit(at=LATER)

    assert Finding.objects.get(rule="INS001").state == FindingState.RESOLVED


def test_an_instance_of_an_image_that_nobody_mirrors_is_not_compared():
    make_instance(image_id="ami-vendor", usage_operation=RHEL)

    audit(at=NOON)

    assert not Finding.objects.exists()


def test_a_lost_code_says_what_it_leaves_idle():
    account = make_account()
    image = make_image(account=account, declared=RHEL, created_at=NOON)
    make_instance(account=account, image_id=image.aws_id)
    bought = make_reserved_instance(account=account, product_description="Red Hat Enterprise Linux")

    audit(at=NOON)

    lost, running = Finding.objects.filter(image=image).order_by("rule")
    assert (lost.rule, lost.idle_purchases, str(lost.monthly_cost)) == (
        "AMI001",
        [bought.aws_id],
        "36.50",
    )
    assert (running.rule, running.idle_purchases, running.monthly_cost) == ("AMI012", [], None)


def test_what_another_account_runs_is_not_named_to_whoever_reads_the_purchase():
    image = make_image(declared=RHEL)
    instance = make_instance(account=image.account, image_id=image.aws_id)
    buyer = make_account(payer=image.account.number)
    make_reserved_instance(account=buyer, product_description="Red Hat Enterprise Linux")

    audit(at=NOON)

    found = Finding.objects.get(rule="RI001")
    text = " ".join([found.message, *found.remedy])
    assert "lost its code: that of 1 instance in another account" in text
    assert image.aws_id not in text
    assert instance.aws_id not in text


def test_reading_an_image_again_keeps_what_its_code_leaves_idle():
    account = make_account()
    image = make_image(account=account, declared=RHEL, created_at=NOON)
    make_instance(account=account, image_id=image.aws_id)
    make_reserved_instance(account=account, product_description="Red Hat Enterprise Linux")
    audit(at=NOON)

    judge_images([image], at=LATER)

    finding = Finding.objects.get(rule="AMI001")
    assert (len(finding.idle_purchases), str(finding.monthly_cost)) == (1, "36.50")


def test_images_of_one_cause_share_it():
    lost = make_image(declared=RHEL)
    copy = make_image(source_image_id=lost.aws_id, region="us-east-1", declared=RHEL)

    audit(at=NOON)

    causes = Finding.objects.filter(image__in=[lost, copy]).values_list("cause", flat=True)
    assert set(causes) == {lost.aws_id}


def audited_elsewhere():
    """Say whether another connection can audit now."""
    ended = []

    def try_it():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        try:
            audit(at=LATER)
            ended.append(True)
        except OperationalError:
            ended.append(False)
        finally:
            connection.close()

    other = threading.Thread(target=try_it)
    other.start()
    other.join()
    return ended == [True]


@pytest.mark.django_db(transaction=True)
def test_an_audit_waits_for_the_end_of_another():
    with one_at_a_time():
        assert not audited_elsewhere()
    assert audited_elsewhere()

    with transaction.atomic():
        audit(at=NOON)
        assert not audited_elsewhere()
    assert audited_elsewhere()
