"""The rows of the portal."""

from registry.models.account import Account, Scope
from registry.models.approval import OPERATOR, Decision, Operation, Policy
from registry.models.bill import (
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    DisagreementKind,
    UsageKind,
)
from registry.models.change import EVERYTHING, Change, ChangeField, Touched
from registry.models.finding import ACTIONABLE, Finding, FindingState, Severity
from registry.models.grant import Grant, Role
from registry.models.image import MISMATCHES, Confidence, Image, ImageVerdict
from registry.models.instance import Instance
from registry.models.list_price import ListPrice
from registry.models.mirror import Mirror, MirrorQuerySet
from registry.models.pattern import Pattern, PatternKind, PatternStrength
from registry.models.proposal import Proposal
from registry.models.registration import Method, Registration, RegistrationStep
from registry.models.removal import ITEM_ACTIVE, ITEM_OVER, ItemState, Removal, RemovalItem
from registry.models.report import Report, Schedule, ScheduleKind, ScheduleSlot
from registry.models.reserved_instance import Cover, ReservedInstance
from registry.models.run import ACTIVE, OVER, Event, Run, RunKind, RunState
from registry.models.snapshot import Snapshot, Volume
from registry.models.token import ApiToken
from registry.models.triage import (
    Activity,
    ActivityKind,
    Triage,
    TriageAction,
    TriageItem,
    TriageItemState,
    Waiver,
)
from registry.models.utilization import DailyTotals, Utilization

__all__ = [
    "ACTIONABLE",
    "ACTIVE",
    "EVERYTHING",
    "ITEM_ACTIVE",
    "ITEM_OVER",
    "MISMATCHES",
    "OPERATOR",
    "OVER",
    "Account",
    "Activity",
    "ActivityKind",
    "ApiToken",
    "Bill",
    "BilledPurchase",
    "BilledUsage",
    "Change",
    "ChangeField",
    "Confidence",
    "Cover",
    "DailyTotals",
    "Decision",
    "Disagreement",
    "DisagreementKind",
    "Event",
    "Finding",
    "FindingState",
    "Grant",
    "Image",
    "ImageVerdict",
    "Instance",
    "ItemState",
    "ListPrice",
    "Method",
    "Mirror",
    "MirrorQuerySet",
    "Operation",
    "Pattern",
    "PatternKind",
    "PatternStrength",
    "Policy",
    "Proposal",
    "Registration",
    "RegistrationStep",
    "Removal",
    "RemovalItem",
    "Report",
    "ReservedInstance",
    "Role",
    "Run",
    "RunKind",
    "RunState",
    "Schedule",
    "ScheduleKind",
    "ScheduleSlot",
    "Scope",
    "Severity",
    "Snapshot",
    "Touched",
    "Triage",
    "TriageAction",
    "TriageItem",
    "TriageItemState",
    "UsageKind",
    "Utilization",
    "Volume",
    "Waiver",
]
