import pytest
from django.urls import reverse

from tests.factories import make_image, make_removal_item

PART = {"HX-Request": "true", "HX-Current-URL": "https://portal.example/jobs/J-0001/?a=b"}


def test_a_part_of_a_page_after_the_session_has_ended_sends_the_browser_to_the_sign_in(client, db):
    answer = client.get(reverse("jobs:list"), headers=PART)

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Fjobs%2FJ-0001%2F%3Fa%3Db"


def test_a_whole_page_after_the_session_has_ended_is_redirected(client, db):
    assert client.get(reverse("jobs:list")).url == "/login/?next=/jobs/"


@pytest.mark.parametrize(
    ("page", "back"),
    [("http://testserver/jobs/J-1/?tab=x", "%2Fjobs%2FJ-1%2F%3Ftab%3Dx"), ("", "%2F")],
    ids=["page", "unknown"],
)
def test_whoever_sent_a_form_after_the_session_has_ended_comes_back_to_its_page(
    client, db, page, back
):
    answer = client.post("/jobs/J-1/pause/", headers={"referer": page})

    assert answer.headers["Location"] == f"/login/?next={back}"


def test_another_redirect_of_a_part_is_left_alone(signed_in):
    answer = signed_in.post(reverse("scope"), {"next": "/jobs/"}, headers=PART)

    assert answer.status_code == 302


@pytest.mark.parametrize("current", ["", "not a url", "https://elsewhere.example//evil.example/"])
def test_a_strange_address_of_the_page_leads_nowhere_else(client, db, current):
    answer = client.get(reverse("jobs:list"), headers=PART | {"HX-Current-URL": current})

    assert answer.headers["HX-Redirect"].startswith("/login/?next=")


@pytest.mark.parametrize("digits", [19, 5_000])
def test_a_reference_that_no_row_can_have_is_not_found(signed_in, db, digits):
    assert signed_in.get(f"/jobs/J-{'9' * digits}/").status_code == 404


def test_the_page_of_an_image_says_that_it_is_about_to_be_discarded(signed_in, db):
    item = make_removal_item(image=make_image(state="available"))

    text = signed_in.get(item.image.get_absolute_url()).content.decode()

    assert "Marked to be discarded" in text
    assert reverse("jobs:keep", args=[item.removal.run.ref]) in text


def test_a_request_with_too_many_fields_is_answered_in_words(signed_in, db):
    answer = signed_in.post("/images/discard/", {"pick": ["ami-0"] * 1_001})

    assert answer.status_code == 400
    assert "choose less at once" in answer.content.decode()
