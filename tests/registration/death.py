"""A worker that is killed: nothing it does afterwards reaches the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Killed(BaseException):
    """No code of ours catches it, as none sees a SIGKILL."""


@contextmanager
def killed_before(statement: int) -> Iterator[None]:
    """Kill the worker inside before its statement of that number, counted from 0.

    What is not committed is rolled back and its lock is freed, as the database does when a
    connection goes.
    """
    left = statement

    def execute_or_die(
        execute: Callable[..., Any], sql: object, params: Any, many: bool, context: Any
    ) -> Any:
        nonlocal left
        if str(sql).startswith("ROLLBACK") or "pg_advisory_unlock" in str(sql):
            return execute(sql, params, many, context)
        if left <= 0:
            context["cursor"].close()
            raise Killed
        left -= 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(execute_or_die):
        try:
            yield
        except Killed:
            return
