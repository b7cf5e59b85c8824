import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import NOON, make_image, make_user

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


@pytest.fixture
def finops(client):
    client.force_login(make_user(Role.FINOPS, username="ann"))
    return client


def address(image):
    return reverse("images:declare", args=[image.aws_id])


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_form_proposes_what_is_expected(finops):
    page = text_of(finops.get(address(make_image(declared=RHEL))))

    assert f'<option value="{RHEL}" selected>' in page


def test_what_is_declared_is_evidence_at_once(finops):
    image = make_image()

    answer = finops.post(
        address(image), {"code": RHEL, "reason": "It was <b>bought</b> so."}, follow=True
    )

    page = text_of(answer)
    assert f"{image.aws_id} is declared to be Red Hat Enterprise Linux." in page
    assert "Declared by ann on " in page
    assert "It was &lt;b&gt;bought&lt;/b&gt; so." in page
    image.refresh_from_db()
    assert (image.declared, image.verdict) == (RHEL, "lost")


def test_a_declaration_is_taken_back(finops):
    image = make_image(declared=RHEL)

    answer = finops.post(address(image), {"code": "", "reason": "It was wrong."}, follow=True)

    assert f"{image.aws_id} is judged without a declaration." in text_of(answer)
    image.refresh_from_db()
    assert (image.declared, image.verdict) == ("", "unknown")


def test_without_a_reason_nothing_is_declared(finops):
    image = make_image()

    answer = finops.post(address(image), {"code": RHEL, "reason": ""})

    assert answer.status_code == 422
    assert "Say why" in text_of(answer)
    image.refresh_from_db()
    assert image.declared == ""


@pytest.mark.parametrize(("role", "may"), [(Role.FINOPS, True), (Role.DEVELOPER, False)])
def test_the_image_offers_it_to_who_may(client, role, may):
    image = make_image()
    client.force_login(make_user(role))

    assert (address(image) in text_of(client.get(image.get_absolute_url()))) is may


def test_nothing_is_declared_of_what_is_gone(finops):
    image = make_image(gone_at=NOON)

    assert finops.post(address(image), {"code": RHEL, "reason": "So."}).status_code == 404
    assert address(image) not in text_of(finops.get(image.get_absolute_url()))
