import pytest

from registry.models import Role
from tests.factories import LATER, make_account, make_finding, make_image, make_instance

pytestmark = pytest.mark.django_db


def ids(answer):
    return [image["id"] for image in answer.json()["items"]]


def test_shows_what_aws_and_the_portal_say(program):
    image = make_image(name="web", usage_operation="", verdict="lost")
    make_instance(account=image.account, image_id=image.aws_id)
    make_finding(image=image)

    (found,) = program.get("/images").json()["items"]

    assert (found["id"], found["account"]) == (image.aws_id, image.account.number)
    assert (found["usage_operation"], found["verdict"]) == ("", "lost")
    assert (found["running"], found["open_findings"]) == (1, 1)
    assert found["url"] == f"http://testserver/images/{image.aws_id}/"


def test_leaves_out_what_is_gone(program):
    make_image(gone_at=LATER)

    assert program.get("/images").json()["count"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"account": "111122223333"}, id="account"),
        pytest.param({"region": "us-east-1"}, id="region"),
        pytest.param({"q": " golden "}, id="words"),
        pytest.param({"verdict": "lost"}, id="verdict"),
    ],
)
def test_is_narrowed(program, asked):
    account = make_account(number="111122223333")
    wanted = make_image(name="golden-1", account=account, region="us-east-1", verdict="lost")
    make_image(name="web")

    assert ids(program.get("/images", **asked)) == [wanted.aws_id]


def test_what_was_not_judged_yet_is_pending(program):
    wanted = make_image()
    make_image(verdict="ok")

    assert ids(program.get("/images", verdict="pending")) == [wanted.aws_id]


def test_is_turned_page_by_page(program):
    images = [make_image(name=f"web-{n}") for n in range(3)]

    answer = program.get("/images", limit=2, offset=2)

    assert ids(answer) == [images[2].aws_id]
    assert answer.json()["count"] == 3


def test_a_verdict_that_there_is_not_is_refused(program):
    answer = program.get("/images", verdict="good")

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"verdict"}


def test_only_readable_accounts_are_shown(another):
    mine, other = make_image(), make_image()
    reader = another(Role.VIEWER, account=mine.account)

    assert ids(reader.get("/images")) == [mine.aws_id]
    assert reader.get(f"/images/{other.aws_id}").status_code == 404


def test_one_image_comes_with_what_was_found_of_it(program):
    image = make_image(tags={"team": "erp"})
    make_finding(image=image, remedy=["Create it from an instance."])
    make_finding(image=image, rule="AMI002", resolved_at=LATER, state="resolved")

    found = program.get(f"/images/{image.aws_id}").json()

    assert found["tags"] == {"team": "erp"}
    assert [finding["rule"] for finding in found["findings"]] == ["AMI001"]
    assert found["findings"][0]["advice"] == ["Create it from an instance."]


def test_an_image_that_is_gone_can_still_be_asked_for(program):
    image = make_image(gone_at=LATER)

    assert program.get(f"/images/{image.aws_id}").json()["gone_at"] is not None


def test_of_two_rows_the_present_one_is_shown(program):
    present = make_image(aws_id="ami-1")
    make_image(aws_id="ami-1", gone_at=LATER)

    assert program.get("/images/ami-1").json()["account"] == present.account.number


def test_takes_the_same_queries_however_long(program, django_assert_num_queries):
    for _ in range(20):
        make_image()
    program.get("/images")

    with django_assert_num_queries(4):
        program.get("/images", limit=20)
