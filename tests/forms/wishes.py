"""Forms as a browser fills them in, and what they ask for."""

from typing import Any

from registry.forms.devices import Devices
from registry.forms.registration import RegistrationForm
from registry.models import Account
from tests.jobs.steps import KEY

REGIONS = ["eu-west-1", "us-east-1"]
SOURCES: dict[str, dict[str, Any]] = {
    "snapshot": {"snapshot_id": "snap-0123456789abcdef0"},
    "manifest": {"image_location": "bucket/path/image.manifest.xml"},
    "instance": {"source_instance_id": "i-0123456789abcdef0"},
    "copy": {"source_image_id": "ami-0123456789abcdef0", "destinations": ["us-east-1"]},
}


def filled(account: Account, method: str, **fields: Any) -> RegistrationForm:
    data: dict[str, Any] = {
        "key": str(KEY),
        "account": account.number,
        "region": "eu-west-1",
        "method": method,
        "name": "golden",
        "expected_usage_operation": "RunInstances:0010",
        **SOURCES[method],
    }
    return RegistrationForm(data | fields, accounts=Account.objects.all(), regions=REGIONS)


def devices(*forms: dict[str, Any]) -> Any:
    data = {"devices-TOTAL_FORMS": str(len(forms)), "devices-INITIAL_FORMS": "0"}
    for number, form in enumerate(forms):
        data |= {f"devices-{number}-{name}": value for name, value in form.items()}
    return Devices(data, prefix="devices")
