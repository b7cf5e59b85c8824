from decimal import Decimal

import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import (
    make_finding,
    make_image,
    make_reserved_instance,
    make_snapshot,
    make_user,
)

pytestmark = pytest.mark.django_db
CAUSES = reverse("findings:causes")


def rows(answer):
    return answer.context["rows"]


def test_one_cause_is_one_row_however_many_copies_there_are(signed_in):
    make_snapshot(aws_id="snap-1", name="golden-root")
    for region in ("eu-west-1", "eu-central-1", "us-east-1"):
        make_finding(image=make_image(region=region), cause="snap-1", running=2)

    (group,) = rows(signed_in.get(CAUSES))

    assert group.name == "golden-root"
    assert group.together.running == 6
    counted = {name: group.counts[name] for name in ("number", "images", "regions", "accounts")}
    assert counted == {"number": 3, "images": 3, "regions": 3, "accounts": 3}


def test_the_worst_of_a_group_stands_for_it(signed_in):
    make_finding(cause="snap-1", severity="low", rule="AMI004", title="Lesser")
    make_finding(cause="snap-1", severity="critical", title="Worst")

    answer = signed_in.get(CAUSES)

    assert [group.shown.title for group in rows(answer)] == ["Worst"]
    assert "Lesser" not in answer.content.decode()


def test_what_has_no_cause_stands_alone(signed_in):
    first, second = make_finding(), make_finding()

    groups = rows(signed_in.get(CAUSES))

    assert {group.address for group in groups} == {
        first.get_absolute_url(),
        second.get_absolute_url(),
    }


def test_images_and_purchases_of_one_cause_are_put_right_each_in_their_way(signed_in):
    make_finding(cause="snap-1")
    make_finding(cause="snap-1", rule="RI001", reserved_instance=make_reserved_instance())

    assert len(rows(signed_in.get(CAUSES))) == 2


def test_a_row_opens_its_findings(signed_in):
    wanted = make_finding(cause="snap-1")
    make_finding(cause="snap-1", rule="RI001", reserved_instance=make_reserved_instance())
    make_finding(cause="snap-2")
    answer = signed_in.get(CAUSES, {"q": "snap-1", "sort": "-cost"})
    (address,) = {row.address for row in rows(answer) if row.shown.image}

    found = signed_in.get(address).context["rows"]

    assert list(found) == [wanted]


@pytest.mark.parametrize(
    ("costs", "says"),
    [
        pytest.param([Decimal(100), Decimal(50)], ["$150"], id="all known"),
        pytest.param([Decimal(100), None], ["at least", "$100"], id="one unknown"),
        pytest.param([None, None], ["Unknown"], id="none known"),
    ],
)
def test_known_costs_are_added_up_and_unknown_ones_not_hidden(signed_in, costs, says):
    for cost in costs:
        make_finding(cause="snap-1", monthly_cost=cost, idle_purchases=["ri-1"])

    text = signed_in.get(CAUSES).content.decode()
    cell = text[text.index('data-label="Per month"') :].partition("</td>")[0]

    assert all(word in cell for word in says)
    assert "1 purchase idle" in cell  # the same one


def test_an_image_that_breaks_two_rules_runs_once(signed_in):
    image = make_image()
    make_finding(image=image, cause="snap-1", running=4)
    make_finding(image=image, cause="snap-1", running=4, rule="AMI004")

    (group,) = rows(signed_in.get(CAUSES))

    assert group.together.running == 4


def test_what_findings_of_one_cause_have_in_common_counts_once(signed_in):
    image = make_image()
    make_finding(image=image, cause="snap-1", running=1, severity="low", idle_purchases=["ri-1"])
    make_finding(image=image, cause="snap-1", running=4, rule="AMI004", severity="critical")
    make_finding(cause="snap-1", running=2, severity="low", idle_purchases=["ri-1", "ri-2"])
    make_finding(cause="snap-2", running=8, severity="low", idle_purchases=["ri-1"])

    first, second = (group.together for group in rows(signed_in.get(CAUSES)))

    assert (first.running, first.purchases) == (6, 2)
    assert first.rules == ["AMI001", "AMI004"]
    assert (second.running, second.purchases) == (8, 1)


def test_the_tabs_and_filters_of_the_list_count_here_too(signed_in):
    make_finding(cause="snap-1", severity="low")
    make_finding(cause="snap-2", state="waived")

    assert [group.shown.cause for group in rows(signed_in.get(CAUSES))] == ["snap-1"]
    assert not rows(signed_in.get(CAUSES, {"severity": "high"}))
    waived = rows(signed_in.get(CAUSES, {"view": "waived"}))
    assert [group.shown.cause for group in waived] == ["snap-2"]


@pytest.mark.parametrize("sort", ["severity", "-cost", "findings", "-opened", "nonsense"])
def test_sorts(signed_in, sort):
    make_finding(cause="snap-1")

    assert len(rows(signed_in.get(CAUSES, {"sort": sort}))) == 1


def test_a_cause_in_an_account_of_others_is_not_named(client):
    finding = make_finding(cause="snap-1")
    make_snapshot(aws_id="snap-1", name="undisclosed")
    client.force_login(make_user(Role.VIEWER, account=finding.image.account))

    assert "undisclosed" not in client.get(CAUSES).content.decode()


def test_takes_the_same_queries_however_many(signed_in, django_assert_max_num_queries):
    for number in range(3):
        make_finding(cause=f"snap-{number}")
    signed_in.get(CAUSES)
    with django_assert_max_num_queries(36) as few:
        signed_in.get(CAUSES)
    for number in range(30):
        make_finding(cause=f"snap-{number}")

    with django_assert_max_num_queries(len(few)):
        signed_in.get(CAUSES, {"rows": "50"})


def test_exports_the_causes(signed_in):
    make_finding(cause="snap-1", monthly_cost=Decimal(5))
    make_finding(cause="snap-1", monthly_cost=Decimal(6))

    text = signed_in.get(CAUSES, {"export": "csv"}).getvalue().decode()

    assert "AMI snap-1,2,2," in text
    assert ",11.00," in text


def test_a_hostile_cause_stays_text(signed_in):
    make_finding(cause="<script>alert(1)</script>")

    assert b"<script>alert" not in signed_in.get(CAUSES).content
