import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import make_account, make_finding, make_image, make_scope, make_user


@pytest.fixture
def two_images(db):
    east = make_scope(account=make_account(name="alpha"), region="us-east-1")
    west = make_scope(account=make_account(name="beta"), region="eu-west-1")
    return [
        make_image(name=f"in-{scope.account.name}", account=scope.account, region=scope.region)
        for scope in (east, west)
    ]


def listed(client, name="images:list"):
    return [str(row) for row in client.get(reverse(name)).context["rows"]]


def choose(client, **chosen):
    return client.post(reverse("scope"), {"next": "/images/", **chosen})


def test_narrows_every_list(signed_in, two_images):
    for image in two_images:
        make_finding(image=image)

    choose(signed_in, accounts=two_images[0].account.number)

    assert listed(signed_in) == ["in-alpha"]
    (finding,) = signed_in.get(reverse("findings:list")).context["rows"]
    assert finding.image == two_images[0]


def test_narrows_to_a_region(signed_in, two_images):
    choose(signed_in, regions="eu-west-1", all_regions="2")

    assert listed(signed_in) == ["in-beta"]


def test_all_of_something_is_no_choice(signed_in, two_images):
    choose(signed_in, accounts=[image.account.number for image in two_images])

    assert len(listed(signed_in)) == 2
    assert signed_in.session["scope"] == {"accounts": [], "regions": []}


def test_is_reset(signed_in, two_images):
    choose(signed_in, accounts=two_images[0].account.number)

    choose(signed_in, reset="1")

    assert len(listed(signed_in)) == 2


def test_an_account_out_of_reach_cannot_be_chosen(client, two_images):
    client.force_login(make_user(Role.VIEWER, account=two_images[0].account))

    choose(client, accounts=[two_images[1].account.number])

    assert listed(client) == ["in-alpha"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", ""]
)
def test_leads_to_no_other_site(signed_in, target):
    answer = signed_in.post(reverse("scope"), {"next": target})

    assert answer.url == "/"


def test_says_when_only_the_scope_hides_things(signed_in, two_images):
    choose(signed_in, accounts=make_account(name="empty").number)

    answer = signed_in.get(reverse("images:list"))

    assert b"Nothing in this scope" in answer.content


def test_something_outside_the_scope_still_opens(signed_in, two_images):
    choose(signed_in, accounts=two_images[0].account.number)

    answer = signed_in.get(two_images[1].get_absolute_url())

    assert answer.status_code == 200
