"""What the findings of one cause say together, added up by the database however many they are."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg import sql

_COLUMNS = (
    *("group", "pk", "rank", "rule", "running", "idle_purchases"),
    *("image", "instance", "reserved_instance"),
)
# A thing that breaks two rules runs once, and a purchase that is idle because of two things is one.
_TOGETHER = """
    WITH member ({columns}) AS ({members}),
    whole AS (
        SELECT "group", (array_agg(pk ORDER BY rank, pk))[1] AS first,
            array_agg(DISTINCT rule ORDER BY rule) AS rules
        FROM member GROUP BY "group"
    ),
    thing AS (
        SELECT "group", max(running) AS running FROM member
        GROUP BY "group", image, instance, reserved_instance
    ),
    things AS (SELECT "group", sum(running) AS running FROM thing GROUP BY "group"),
    purchases AS (
        SELECT "group", count(DISTINCT purchase) AS purchases
        FROM member, jsonb_array_elements_text(idle_purchases) AS purchase GROUP BY "group"
    )
    SELECT "group", first, rules, running, coalesce(purchases, 0)
    FROM whole JOIN things USING ("group") LEFT JOIN purchases USING ("group")
"""


@dataclass(frozen=True, slots=True)
class Together:
    """Findings of one cause: the most severe of them, the rules, what runs and what stays idle."""

    first: int
    rules: list[str]
    running: int
    purchases: int


def together(findings: QuerySet[Any], groups: Collection[str]) -> dict[str, Together]:
    """Add up findings, which have their `group` and `rank`, by group; of these groups alone."""
    if not groups:
        return {}
    wanted = findings.filter(group__in=groups).order_by().values(*_COLUMNS)
    members, params = wanted.query.sql_with_params()
    statement = sql.SQL(_TOGETHER).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
        members=sql.SQL(members),  # made by Django, with the values apart
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {group: Together(*rest) for group, *rest in cursor.fetchall()}
