"""What every list page does: filter, sort, turn pages, export."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.paginator import InvalidPage
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import ListView
from django_filters import FilterSet

from registry.reports.render import lines

PAGE_SIZES = (25, 50, 100, 250)


class InventoryList(ListView):
    """A table that can be filtered, sorted by a known column, turned page by page, exported."""

    filter_class: type[FilterSet]
    columns: Mapping[str, str]  # what ?sort= may name, and the field it means
    default_sort: str
    export: Mapping[str, str]  # heading of an exported column, and the field it shows
    context_object_name = "rows"
    request: HttpRequest

    def rows(self) -> QuerySet[Any]:
        """Return what the person may see, before any filter."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        if request.GET.get("export") == "csv":
            return self._csv(self.get_queryset())
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        self.filter = self.filter_class(self.request.GET, self.rows(), request=self.request)
        rows: QuerySet[Any] = self.filter.qs
        return rows.order_by(*self.get_ordering())

    def get_ordering(self) -> Sequence[str | OrderBy]:
        wanted = self.request.GET.get("sort", "")
        self.sort, order = sorting(wanted, self.columns, self.default_sort)
        return [order, "pk"]

    def get_paginate_by(self, queryset: QuerySet[Any]) -> int:
        wanted = self.request.GET.get("rows", "")
        return int(wanted) if wanted in map(str, PAGE_SIZES) else PAGE_SIZES[0]

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        """Show the last page where the one asked for is not, or no longer, there."""
        paginator = self.get_paginator(queryset, page_size)
        try:
            page = paginator.page(self.request.GET.get("page") or 1)
        except InvalidPage:
            page = paginator.page(paginator.num_pages)
        return paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        around = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
        return context | {
            "filter": self.filter,
            "sort": self.sort,
            "pages": list(around),
            "page_sizes": PAGE_SIZES,
            "chips": self._chips(),
        }

    def _chips(self) -> list[dict[str, str]]:
        """Name each filter in force, with the query that leaves it out."""
        found = []
        for name, values in self.request.GET.lists():
            field = self.filter.form.fields.get(name)
            if field is None or name == "view" or not any(values):
                continue
            words = dict(getattr(field, "choices", ()))
            text = ", ".join(str(words.get(value, value)) for value in values if value)
            rest = self.request.GET.copy()
            rest.pop("page", None)
            rest.pop(name)
            label = "Text" if name == "q" else name.capitalize()
            found.append({"label": label, "text": text, "without": rest.urlencode()})
        return found

    def _csv(self, rows: QuerySet[Any]) -> HttpResponseBase:
        values: Iterable[Mapping[str, Any]] = (
            {heading: row[field] for heading, field in self.export.items()}
            for row in rows.values(*self.export.values()).iterator(chunk_size=2000)
        )
        return as_csv(self.request, list(self.export), values)


def as_csv(
    request: HttpRequest, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> StreamingHttpResponse:
    """Answer with a file named after the page and the time."""
    name = f"{request.path.strip('/').replace('/', '-')}-{timezone.now():%Y-%m-%dT%H%MZ}.csv"
    return StreamingHttpResponse(
        lines(columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def sorting(wanted: str, columns: Mapping[str, str], default: str) -> tuple[str, OrderBy]:
    """Return the sort that counts, and its order: the default where `wanted` is no column."""
    if wanted.removeprefix("-") not in columns:
        wanted = default
    field = F(columns[wanted.removeprefix("-")])
    return wanted, field.desc(nulls_last=True) if wanted.startswith("-") else field.asc()


def back(request: HttpRequest, fallback: str) -> str:
    """Return the page of ours from which a form was sent."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if is_ours and target.startswith("/") else fallback
