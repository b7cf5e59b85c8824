"""Whole, valid rows; a test names only what it is about."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from registry.audit.waivers import facts_of
from registry.models import (
    Account,
    ApiToken,
    Bill,
    BilledPurchase,
    BilledUsage,
    Cover,
    Disagreement,
    DisagreementKind,
    Finding,
    FindingState,
    Grant,
    Image,
    Instance,
    ListPrice,
    Pattern,
    Registration,
    Removal,
    RemovalItem,
    Report,
    ReservedInstance,
    Role,
    Run,
    RunKind,
    Schedule,
    Scope,
    Snapshot,
    Triage,
    TriageAction,
    UsageKind,
    Volume,
    Waiver,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 13, tzinfo=UTC)
_numbers = count(1)


def make_account(**fields: Any) -> Account:
    number = next(_numbers)
    defaults = {"number": f"{number:012d}", "name": f"account-{number}"}
    return Account.objects.create(**defaults | fields)


def make_scope(**fields: Any) -> Scope:
    if "account" not in fields:
        fields["account"] = make_account()
    return Scope.objects.create(**{"region": "eu-west-1"} | fields)


def _mirrored(prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
    if "account" not in fields:
        fields["account"] = make_account()
    defaults = {
        "aws_id": f"{prefix}-{next(_numbers):017x}",
        "region": "eu-west-1",
        "digest": "",
        "first_seen_at": NOON,
        "last_seen_at": NOON,
    }
    return defaults | fields


def make_image(**fields: Any) -> Image:
    defaults = {
        "name": "web",
        "owner_id": "",
        "state": "available",
        "architecture": "x86_64",
        "platform_details": "Linux/UNIX",
        "usage_operation": "RunInstances",
        "root_device_type": "ebs",
        "root_device_name": "/dev/xvda",
        "virtualization_type": "hvm",
        "created_at": NOON,
    }
    return Image.objects.create(**_mirrored("ami", defaults | fields))


def make_snapshot(**fields: Any) -> Snapshot:
    defaults = {
        "state": "completed",
        "storage_tier": "standard",
        "volume_size": 8,
        "is_encrypted": False,
        "started_at": NOON,
    }
    return Snapshot.objects.create(**_mirrored("snap", defaults | fields))


def make_volume(**fields: Any) -> Volume:
    defaults = {"state": "in-use", "volume_type": "gp3", "size": 8}
    return Volume.objects.create(**_mirrored("vol", defaults | fields))


def make_instance(**fields: Any) -> Instance:
    defaults = {
        "state": "running",
        "instance_type": "m5.large",
        "availability_zone": "eu-west-1a",
        "availability_zone_id": "euw1-az1",
        "tenancy": "default",
        "architecture": "x86_64",
        "platform_details": "Linux/UNIX",
        "usage_operation": "RunInstances",
        "launched_at": NOON,
    }
    return Instance.objects.create(**_mirrored("i", defaults | fields))


def make_reserved_instance(**fields: Any) -> ReservedInstance:
    defaults = {
        "aws_id": f"00000000-0000-4000-8000-{next(_numbers):012d}",
        "instance_type": "m5.large",
        "instance_count": 1,
        "product_description": "Linux/UNIX",
        "tenancy": "default",
        "scope": "Region",
        "offering_class": "standard",
        "offering_type": "No Upfront",
        "start_at": datetime(2026, 1, 1, tzinfo=UTC),
        "end_at": datetime(2027, 1, 1, tzinfo=UTC),
        "duration": 31_536_000,
        "fixed_price": Decimal(0),
        "usage_price": Decimal(0),
        "recurring_hourly": Decimal("0.05"),
        "currency": "USD",
        "state": "active",
    }
    return ReservedInstance.objects.create(**_mirrored("ri", defaults | fields))


def make_list_price(**fields: Any) -> ListPrice:
    """Make a price of 0.10 USD, or one that is unknown where it has a `problem`."""
    defaults = {
        "region": "eu-west-1",
        "instance_type": "m5.large",
        "usage_operation": "RunInstances",
        "tenancy": "default",
        "hourly": None if fields.get("problem") else Decimal("0.10"),
        "currency": "" if fields.get("problem") else "USD",
        "read_at": NOON,
    }
    return ListPrice.objects.create(**defaults | fields)


def make_cover(**fields: Any) -> Cover:
    return Cover.objects.create(**{"share": "1"} | fields)


def make_bill(**fields: Any) -> Bill:
    """Make the bill of October 2026, read when the month was over."""
    defaults = {
        "payer": f"{next(_numbers):012d}",
        "month": date(2026, 10, 1),
        "source": "northwind",
        "version": "1",
        "read_at": NOON,
        "through": datetime(2026, 11, 1, tzinfo=UTC),
        "names_instances": True,
    }
    return Bill.objects.create(**defaults | fields)


def make_billed_purchase(**fields: Any) -> BilledPurchase:
    if "bill" not in fields:
        fields["bill"] = make_bill()
    defaults = {
        "aws_id": f"00000000-0000-4000-8000-{next(_numbers):012d}",
        "account": fields["bill"].payer,
        "region": "eu-west-1",
        "used_hours": Decimal(744),
        "unused_hours": Decimal(0),
        "currency": "USD",
    }
    return BilledPurchase.objects.create(**defaults | fields)


def make_billed_usage(**fields: Any) -> BilledUsage:
    if "bill" not in fields:
        fields["bill"] = make_bill()
    defaults = {
        "account": fields["bill"].payer,
        "region": "eu-west-1",
        "resource_id": f"i-{next(_numbers):017x}",
        "instance_type": "m5.large",
        "operation": "RunInstances",
        "kind": UsageKind.ON_DEMAND,
        "hours": Decimal(744),
    }
    return BilledUsage.objects.create(**defaults | fields)


def make_disagreement(**fields: Any) -> Disagreement:
    if "bill" not in fields:
        fields["bill"] = make_bill()
    defaults = {
        "kind": DisagreementKind.OPERATION,
        "account": fields["bill"].payer,
        "region": "eu-west-1",
        "subject": f"i-{next(_numbers):017x}",
        "billed": "RunInstances 744 h",
        "recorded": "RunInstances:0010",
        "hours": Decimal(744),
    }
    return Disagreement.objects.create(**defaults | fields)


def make_finding(**fields: Any) -> Finding:
    if not fields.keys() & {"image", "instance", "reserved_instance"}:
        fields["image"] = make_image()
    defaults = {
        "rule": "AMI001",
        "severity": "high",
        "title": "Billing code lost",
        "message": "Billed as Linux/UNIX, expected Red Hat Enterprise Linux.",
        "opened_at": NOON,
        "checked_at": NOON,
    }
    return Finding.objects.create(**defaults | fields)


def make_waiver(**fields: Any) -> Waiver:
    """Make a waiver that holds for a week, of a finding that it makes waived."""
    if "finding" not in fields:
        fields["finding"] = make_finding()
    finding = fields["finding"]
    Finding.objects.filter(pk=finding.pk).update(state=FindingState.WAIVED)
    finding.refresh_from_db()
    if "owner" not in fields:
        fields["owner"] = make_user()
    defaults = {
        "by": fields["owner"],
        "at": NOON,
        "until": NOON + timedelta(days=7),
        "reason": "It goes next month.",
        "facts": facts_of(finding),
        "severity": finding.severity,
    }
    return Waiver.objects.create(**defaults | fields)


def make_run(**fields: Any) -> Run:
    defaults: dict[str, Any] = {"kind": RunKind.AUDIT, "requested_at": NOON}
    if fields.get("kind") == RunKind.SYNC and "scope" not in fields:
        fields["scope"] = make_scope()
    return Run.objects.create(**defaults | fields)


def make_registration(**fields: Any) -> Registration:
    if "account" not in fields:
        fields["account"] = make_account()
    if "run" not in fields:
        fields["run"] = make_run(kind=RunKind.REGISTER)
    defaults = {
        "region": "eu-west-1",
        "snapshot_id": f"snap-{next(_numbers):017x}",
        "name": f"golden-{next(_numbers)}",
        "expected_usage_operation": "RunInstances:0010",
    }
    return Registration.objects.create(**defaults | fields)


def make_removal(**fields: Any) -> Removal:
    if "run" not in fields:
        fields["run"] = make_run(kind=RunKind.REMOVE)
    return Removal.objects.create(**{"reason": "Nobody needs them."} | fields)


def make_removal_item(**fields: Any) -> RemovalItem:
    if "removal" not in fields:
        fields["removal"] = make_removal()
    if "image" not in fields:
        fields["image"] = make_image()
    return RemovalItem.objects.create(**{"act_at": NOON} | fields)


def make_pattern(**fields: Any) -> Pattern:
    defaults = {"text": "golden-*", "usage_operation": "RunInstances:0010", "changed_at": NOON}
    return Pattern.objects.create(**defaults | fields)


def make_triage(**fields: Any) -> Triage:
    if "run" not in fields:
        fields["run"] = make_run(kind=RunKind.TRIAGE)
    return Triage.objects.create(**{"action": TriageAction.START} | fields)


def make_report(**fields: Any) -> Report:
    if "run" not in fields:
        fields["run"] = make_run(kind=RunKind.REPORT)
    return Report.objects.create(**fields)


def make_schedule(**fields: Any) -> Schedule:
    return Schedule.objects.create(**{"kind": "report", "daily_at": time(2)} | fields)


def make_user(
    role: str | None = Role.VIEWER, account: Account | None = None, **fields: Any
) -> User:
    """Make a user with `role` on `account`, or everywhere; with no grant if `role` is None."""
    defaults = {"username": f"user-{next(_numbers)}", "password": "!"}
    user = User.objects.create(**defaults | fields)
    if role:
        Grant.objects.create(user=user, account=account, role=role)
    return user


def make_token(**fields: Any) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret."""
    user = fields.pop("user", None) or make_user(Role.ENGINEER)
    token, secret = ApiToken.objects.issue(user, fields.pop("name", "pipeline"), at=NOON)
    for name, value in fields.items():
        setattr(token, name, value)
    token.save()
    return token, secret
