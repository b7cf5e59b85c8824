import pytest

from registry.audit import AuditCounts, audit, judge_images
from registry.models import Finding, FindingState, Image, ReservedInstance
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

    with django_assert_num_queries(50):
        audit(at=NOON)
