from datetime import UTC, datetime

import pytest

from registry.audit import audit
from registry.audit.patterns import Said, as_own, fitting, in_force
from registry.models import Finding, Image
from tests.factories import NOON, make_account, make_image, make_pattern, make_user

pytestmark = pytest.mark.django_db
RHEL, SUSE = "RunInstances:0010", "RunInstances:000g"


def test_an_audit_judges_by_the_patterns_in_force():
    image, other = make_image(name="golden-1"), make_image(name="silver-1")
    make_pattern(text="golden-*", strength="strong", note="All golden ones are.")
    make_pattern(text="silver-*", is_active=False)

    audit(at=NOON)

    image.refresh_from_db()
    other.refresh_from_db()
    assert (image.verdict, image.source, image.confidence) == ("lost", "declared", "strong")
    assert image.evidence[0]["sentence"] == (
        "Its name is under the policy for golden-*. All golden ones are."
    )
    assert (other.verdict, other.source) == ("unknown", "none")
    assert [finding.image for finding in Finding.objects.open()] == [image]


def test_a_pattern_for_an_account_judges_no_other():
    image, other = make_image(name="golden-1"), make_image(name="golden-1")
    make_pattern(text="golden-*", account=image.account)

    audit(at=NOON)

    assert dict(Image.objects.values_list("pk", "source")) == {
        image.pk: "pattern",
        other.pk: "none",
    }


def test_the_patterns_in_force_are_told_the_oldest_first():
    first = make_pattern(text="b")
    make_pattern(text="c", is_active=False)
    second = make_pattern(kind="tag", key="os", text="a", account=make_account())

    assert in_force() == {first.pk: as_own(first), second.pk: as_own(second)}
    assert list(in_force()) == [first.pk, second.pk]
    assert as_own(second).account == second.account_id


def test_which_images_each_pattern_fits():
    one = make_image(name="golden-1", tags={"os": "rhel9"})
    other = make_image(name="silver", tags={"OS": "rhel8"})
    make_image(name="golden-2", gone_at=NOON)
    patterns = [as_own(make_pattern(text="golden*")), as_own(make_pattern(text="none"))]
    patterns.append(as_own(make_pattern(kind="tag", key="os", text="rhel*")))

    found = fitting(Image.objects.present(), patterns)

    assert found == [[one.pk], [], [one.pk, other.pk]]
    assert fitting(Image.objects.all(), []) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({}, "", id="nothing declared"),
        pytest.param({"declared": RHEL}, "Declared by its registration.", id="by a registration"),
        pytest.param(
            {
                "declared": RHEL,
                "declared_at": datetime(2026, 11, 27, 23, tzinfo=UTC),
                "declared_because": "It was bought so.",
            },
            "Declared by ann on 2026-11-27: It was bought so.",
            id="by a person",
        ),
    ],
)
def test_who_declared_it_is_said(fields, sentence):
    if "declared_at" in fields:
        fields = fields | {"declared_by": make_user(username="ann")}

    assert Said.load().declaration(make_image(**fields)) == sentence


def test_the_names_of_all_who_declared_are_read_once(django_assert_num_queries):
    images = [
        make_image(declared=RHEL, declared_by=make_user(), declared_at=NOON, declared_because="So.")
        for _ in range(3)
    ]
    said = Said.load()

    with django_assert_num_queries(1):
        sentences = [said.declaration(image) for image in images]

    assert sentences == [
        f"Declared by {image.declared_by.username} on 2026-11-24: So." for image in images
    ]
