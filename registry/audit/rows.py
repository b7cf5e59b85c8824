"""Write many judgments in one statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from psycopg import sql

_ENCODER = DjangoJSONEncoder(ensure_ascii=False)
_AUDITS = 0x414D490000000001  # among the keys of PostgreSQL's advisory locks that are one number


@contextmanager
def alone_on(model: type[models.Model]) -> Iterator[None]:
    """Keep everybody else from writing to the table for one transaction; reading goes on.

    A sync and an audit write to the same rows, each in an order of its own. Taking the table
    first leaves no way for them to wait for each other.
    """
    table = sql.Identifier(model._meta.db_table)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))
        yield


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other audit is under way, and keep others waiting; everything else goes on.

    One that began earlier knows less, and would have the last word where it ends later.
    """
    with connection.cursor() as cursor:
        if connection.in_atomic_block:  # what it writes is seen when the transaction ends
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_AUDITS])
            yield
            return
        cursor.execute("SELECT pg_advisory_lock(%s)", [_AUDITS])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_AUDITS])


def update_rows(
    model: type[models.Model], fields: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Set `fields` of the rows named by `id`, in one statement."""
    if not rows:
        return
    types = {f.attname: f.db_type(connection) for f in model._meta.concrete_fields}
    types["id"] = "bigint"  # a serial is one only where it is declared
    typed = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[name] or ""))
        for name in ("id", *fields)
    ]
    names = [sql.Identifier(name) for name in fields]
    statement = sql.SQL(
        "UPDATE {table} AS old SET {changes} FROM jsonb_to_recordset(%s::jsonb) AS new({typed})"
        " WHERE old.id = new.id"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        changes=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(name) for name in names),
        typed=sql.SQL(", ").join(typed),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_ENCODER.encode(list(rows))])
