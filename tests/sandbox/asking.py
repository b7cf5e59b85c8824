"""Questions to an embedded server."""

from typing import Any

import psycopg

from sandbox.postgres import Postgres


def ask(server: Postgres, statement: str, database: str = "postgres") -> Any:
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None
