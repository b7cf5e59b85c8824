"""Write many judgments in one statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from psycopg import sql

_ENCODER = DjangoJSONEncoder(ensure_ascii=False)


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
