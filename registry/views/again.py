"""An earlier request as the values of the form: to correct it and repeat it."""

from typing import Any

from django.http import QueryDict

from registry.forms.devices import as_initial
from registry.forms.registration import FIELDS, OF_OTHERS, TICKED
from registry.forms.tags import written_tags
from registry.models import Method, Registration

_TAGS = ("tags", "snapshot_tags")


def as_form(registration: Registration) -> QueryDict:
    """Return what was asked for, as a browser would send it; the key is left out."""
    method = registration.method
    source_region = registration.source_region or registration.region
    data = QueryDict(mutable=True)
    data["account"], data["method"] = registration.account.number, method
    data["region"] = source_region if method == Method.COPY else registration.region
    data["destinations"] = registration.region
    for name in FIELDS[method]:
        _put(data, name, getattr(registration, name))
    for name in OF_OTHERS[method] & TICKED:  # in case that another method is chosen now
        data[name] = "on"
    if "ena_support" in FIELDS[method]:
        data["ena_support"] = "on" if registration.ena_support else "off"
    _put_devices(data, registration.block_devices)
    return data


def _put(data: QueryDict, name: str, value: Any) -> None:
    if name in _TAGS:
        data[name] = written_tags(value.items())
    elif value is True:
        data[name] = "on"
    elif value not in (None, False):
        data[name] = str(value)


def _put_devices(data: QueryDict, devices: list[dict[str, Any]]) -> None:
    data["devices-TOTAL_FORMS"], data["devices-INITIAL_FORMS"] = str(len(devices)), "0"
    for number, mapping in enumerate(devices):
        for name, value in as_initial(mapping).items():
            _put(data, f"devices-{number}-{name}", value)
