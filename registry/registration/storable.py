"""Whether the fields of a registration hold what their columns can hold."""

import math
from collections.abc import Iterator
from typing import Any

from django.db import models

from registry.models import Registration

_LARGEST = 2**31 - 1  # of a whole number in the database
_NUL = "\x00"
_NOT_STORABLE = "Leave out what can't be kept, such as the character NUL."


def malformed(registration: Registration) -> Iterator[tuple[str, str]]:
    """Yield field and what to do, for each whose value is of another kind than the field."""
    for field in Registration._meta.concrete_fields:
        problem = _kind_problem(field, getattr(registration, field.attname))
        if problem:
            yield field.name, problem


def too_large(registration: Registration) -> Iterator[tuple[str, str]]:
    """Yield field and what to do, for each whose value is too long or too large to be kept."""
    for field in Registration._meta.concrete_fields:
        value = getattr(registration, field.attname)
        if isinstance(field, models.CharField) and len(value) > (field.max_length or len(value)):
            yield field.name, f"Use at most {field.max_length:,} characters."
        elif isinstance(field, models.PositiveIntegerField) and value and value > _LARGEST:
            yield field.name, f"Use at most {_LARGEST:,}."


def _kind_problem(field: "models.Field[Any, Any]", value: Any) -> str:
    if isinstance(field, models.BooleanField):
        return "" if isinstance(value, bool) else "Say true or false."
    if isinstance(field, models.PositiveIntegerField):
        is_number = type(value) is int and value >= 0
        return "" if is_number or value is None else "Write a whole number."
    if isinstance(field, models.JSONField):
        return _mapping_problem(field, value)
    if not isinstance(field, (models.CharField, models.TextField)):
        return ""
    if not isinstance(value, str):
        return "Write it as text."
    return "" if _is_storable(value) else _NOT_STORABLE


def _mapping_problem(field: "models.JSONField[Any, Any]", value: Any) -> str:
    if not isinstance(value, type(field.get_default())):
        is_list = field.default is list
        return "Give it as a list of mappings." if is_list else "Give it as keys with texts."
    return "" if _is_storable(value) else _NOT_STORABLE


def _is_storable(value: Any) -> bool:
    """Say whether PostgreSQL keeps all that is in a value: no NUL, no half of a surrogate."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_storable(key) for key in value) and all(
            map(_is_storable, value.values())
        )
    if isinstance(value, list):
        return all(map(_is_storable, value))
    if not isinstance(value, str):
        return True
    return _NUL not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
