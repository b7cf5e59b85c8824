import pytest

from tests.factories import NOON, make_run

pytestmark = pytest.mark.django_db
OVER = {"finished_at": NOON}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"note": "412 prices read"}, "412 prices read"),
        ({"state": "queued"}, "Waiting for a worker"),
        ({"state": "running"}, "A worker is on it"),
        ({"state": "succeeded", **OVER}, "Done"),
        ({"state": "failed", "error": "AWS said no.", **OVER}, "Nothing else is recorded of it."),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_job_says_where_it_stands(signed_in, fields, words):
    run = make_run(kind="prices", **fields)

    page = signed_in.get(run.get_absolute_url()).content.decode()

    assert words in page
    assert ("Waiting for a worker" in page) == (words == "Waiting for a worker")
