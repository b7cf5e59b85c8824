"""What is wrong with what was sent, by field, in our words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import pydantic
from django.http import HttpRequest, QueryDict
from pydantic import AfterValidator, BaseModel, ConfigDict

from registry.api.door import said

ONE, MANY = "one", "many"  # tags of a body that is one thing or a list
WHOLE = "body"  # the field of what is wrong with all of it
NUL = "\0"
_LONGEST_NAME = 100
_KEY = "Idempotency-Key"
_Asked = TypeVar("_Asked", bound="Query")
_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "bool_parsing": lambda _: "Write true or false.",
    "bool_type": lambda _: "Write true or false.",
    "dict_type": lambda _: "Write an object.",
    "enum": lambda limits: f"Write {limits['expected']}.",
    "extra_forbidden": lambda _: "There is no such field.",
    "greater_than_equal": lambda limits: f"Use at least {limits['ge']:,}.",
    "int_parsing": lambda _: "Write a whole number.",
    "int_parsing_size": lambda _: "Use a smaller number.",
    "int_type": lambda _: "Write a whole number.",
    "less_than_equal": lambda limits: f"Use at most {limits['le']:,}.",
    "list_type": lambda _: "Write a list.",
    "literal_error": lambda limits: f"Write {limits['expected']}.",
    "missing": lambda _: "This field is needed.",
    "model_attributes_type": lambda _: "Write an object.",
    "model_type": lambda _: "Write an object.",
    "string_too_long": lambda limits: f"Use at most {limits['max_length']:,} characters.",
    "string_type": lambda _: "Write a text.",
    "string_unicode": lambda _: "Half a surrogate pair is no character. Leave it out.",
    "too_long": lambda limits: f"Give at most {limits['max_length']:,}.",
    "too_short": lambda _: "Give at least one.",
    "uuid_parsing": lambda _: "Write a UUID.",
    "uuid_type": lambda _: "Write a UUID.",
}


class Unfit(Exception):
    """What was sent can't be used: `problems` by field, or by position and field."""

    def __init__(self, problems: Mapping[Any, Any]) -> None:
        super().__init__("What was sent can't be used.")
        self.problems = problems


class Query(BaseModel):
    """What may stand behind a question mark: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """What may be sent: nothing that is not named here, and no type for another."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """Return what was sent; a null is as good as nothing."""
        return self.model_dump(exclude_none=True)


def _without_nul(text: str) -> str:
    if NUL in text:
        raise ValueError("Leave the character NUL out.")
    return text


# PostgreSQL stores no NUL; halves of surrogate pairs, pydantic refuses by itself.
STORABLE = AfterValidator(_without_nul)
Key = Annotated[UUID, pydantic.Strict(False)]  # JSON has no type for it


def key_of(request: HttpRequest) -> UUID | None:
    """Return the key that stands in the header; None where there is none."""
    told = request.headers.get(_KEY)
    try:
        return UUID(told) if told else None
    except ValueError:
        raise Unfit({_KEY: "Write a UUID."}) from None


def one_key(told: UUID | None, request: HttpRequest) -> UUID | None:
    """Return the key that a body has `told`, or that of the header; Unfit where both differ."""
    header = key_of(request)
    if told and header and told != header:
        raise Unfit({"key": f"{_KEY} says another key."})
    return told or header


def refusal(problems: Mapping[Any, Any], *, status: int = 422) -> Any:
    return said("Nothing was done. Correct what is named in problems.", status, problems=problems)


def by_field(errors: Iterable[Any], *, skipped: int = 0) -> dict[Any, Any]:
    """Return pydantic's errors as sentences: by field, or for a list by position and field.

    `skipped` are the first parts of each error's place.
    """
    found: dict[Any, Any] = {}
    for error in errors:
        place = list(error["loc"][skipped:])
        sentence = _sentence(error)
        tag = place.pop(0) if place and place[0] in {ONE, MANY} else ONE
        if tag == MANY and place:
            found.setdefault(place.pop(0), {}).setdefault(_name(place), sentence)
        else:
            found.setdefault(_name(place), sentence)
    return found


def _name(place: Sequence[Any]) -> str:
    return ".".join(map(str, place))[:_LONGEST_NAME] or WHOLE


def _sentence(error: Mapping[str, Any]) -> str:
    limits = error.get("ctx") or {}
    if error["type"] == "value_error":
        return str(limits["error"])
    word = _WORDS.get(error["type"])
    return word(limits) if word else f"{error['msg']}."


def query(asked: type[_Asked], request: HttpRequest) -> _Asked:
    """Return what an address asks for behind its question mark; what has no meaning is refused."""
    sent: QueryDict = request.GET
    twice = {name: "Give it once." for name, values in sent.lists() if len(values) > 1}
    if twice:
        raise Unfit(twice)
    try:
        return asked.model_validate_strings(sent.dict())
    except pydantic.ValidationError as error:
        raise Unfit(by_field(error.errors())) from None
