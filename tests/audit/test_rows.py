import threading

import pytest
from django.db import OperationalError, connection, transaction

from registry.audit.rows import alone_on, update_rows
from registry.models import Image, ReservedInstance
from tests.factories import NOON, make_image, make_reserved_instance


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "lost"),
        ("expected_usage_operation", None),
        ("expected_usage_operation", "RunInstances:0010"),
        ("expected_platform", 'it\'s "quoted" \\ and €'),
        ("missing", ["RHEL", "größe"]),
        ("missing", []),
        ("evidence", [{"sentence": "null", "is": None, "deep": {"a": [1, True]}}]),
        ("is_public", True),
        ("judged_at", NOON),
        ("ena_support", None),
    ],
)
def test_a_value_of_every_type_is_written(field, value):
    image = make_image()

    update_rows(Image, [field], [{"id": image.pk, field: value}])

    image.refresh_from_db()
    assert getattr(image, field) == value


@pytest.mark.django_db
def test_many_rows_are_written_in_one_statement(django_assert_num_queries):
    images = [make_image() for _ in range(3)]
    rows = [
        {"id": image.pk, "verdict": "ok", "expected_platform": image.aws_id} for image in images
    ]

    with django_assert_num_queries(1):
        update_rows(Image, ["verdict", "expected_platform"], rows)

    assert set(Image.objects.values_list("verdict", "expected_platform")) == {
        ("ok", image.aws_id) for image in images
    }


@pytest.mark.django_db
def test_only_the_fields_and_rows_that_are_named_are_written():
    one, other = make_image(source="x"), make_image(source="y")

    update_rows(Image, ["verdict"], [{"id": one.pk, "verdict": "ok"}])

    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.verdict, one.source) == ("ok", "x")
    assert (other.verdict, other.source) == ("", "y")


@pytest.mark.django_db
def test_nothing_is_written_for_no_rows(django_assert_num_queries):
    with django_assert_num_queries(0):
        update_rows(Image, ["verdict"], [])


@pytest.mark.django_db
def test_amounts_stay_exact():
    bought = make_reserved_instance()

    update_rows(ReservedInstance, ["hourly_cost"], [{"id": bought.pk, "hourly_cost": "0.12345678"}])

    bought.refresh_from_db()
    assert str(bought.hourly_cost) == "0.12345678"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "is_stopped"),
    [
        ("UPDATE registry_image SET verdict = 'ok'", True),
        ("SELECT count(*) FROM registry_image", False),
        ("UPDATE registry_reservedinstance SET applies = true", False),
    ],
    ids=["writing waits", "reading goes on", "another table is free"],
)
def test_nobody_else_writes_to_a_table(statement, is_stopped):
    make_image()
    stopped = []

    def try_it():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            try:
                cursor.execute(statement)
            except OperationalError:
                stopped.append(True)
        connection.close()

    other = threading.Thread(target=try_it)
    with transaction.atomic(), alone_on(Image):
        other.start()
        other.join()

    assert bool(stopped) == is_stopped
