"""Long lists, page by page."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from pydantic import Field

from registry.api.problems import Query

_Row = TypeVar("_Row", bound=Model)
_Thing = TypeVar("_Thing")


class PageQuery(Query):
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


def page(
    rows: QuerySet[_Row], asked: PageQuery, shown: Callable[[_Row], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page of the rows, and how many there are on all pages."""
    return page_together(rows, asked, lambda found: [shown(row) for row in found])


def page_together(
    rows: QuerySet[_Row],
    asked: PageQuery,
    shown: Callable[[list[_Row]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """Return a page of rows that are shown together."""
    return {
        "count": rows.count(),
        "limit": asked.limit,
        "offset": asked.offset,
        "items": shown(list(rows[asked.offset : asked.offset + asked.limit])),
    }


def page_of(
    things: Sequence[_Thing], asked: PageQuery, shown: Callable[[_Thing], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page of things that are no rows, and how many there are on all pages."""
    return {
        "count": len(things),
        "limit": asked.limit,
        "offset": asked.offset,
        "items": [shown(each) for each in things[asked.offset : asked.offset + asked.limit]],
    }
