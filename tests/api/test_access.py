"""Every address of the API, and who may do what there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from registry.api.portal import api
from registry.models import ApiToken, Policy, Role, Run, RunState
from tests.factories import (
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_finding,
    make_image,
    make_instance,
    make_registration,
    make_removal,
    make_removal_item,
    make_reserved_instance,
    make_run,
    make_scope,
    make_snapshot,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db
EVERYONE = frozenset(Role)
REGISTRARS = frozenset({Role.DEVELOPER, Role.ENGINEER, Role.ADMIN})
APPROVERS = frozenset({Role.FINOPS, Role.ENGINEER, Role.ADMIN})
VERIFIERS = APPROVERS | {Role.DEVELOPER}
DISCARDERS = frozenset({Role.ENGINEER, Role.ADMIN})
NOBODY: frozenset[str] = frozenset()  # but whoever asked
SHOWN, HIDDEN, UNKNOWN = 200, 404, 422


@dataclass(frozen=True)
class Address:
    """An address: what it answers to whom may, who that is, and what it answers elsewhere."""

    method: str
    path: str
    allowed: frozenset[str] = EVERYONE
    answer: int = 200
    elsewhere: int = SHOWN
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


REASON = {"reason": "It is needed."}
REGISTRATION, REMOVAL = "/registrations/{uuid}", "/removals/{uuid}"
FINDING, BILL = "/findings/{ref}", "/bills/{payer}/{month}"
ADDRESSES = (
    Address("get", "/me"),
    Address("get", "/images"),
    Address("get", "/images/{id}", elsewhere=HIDDEN),
    Address("post", "/registrations/check", REGISTRARS, elsewhere=UNKNOWN, body="wish"),
    Address("post", "/registrations", REGISTRARS, 201, UNKNOWN, "wish"),
    Address("get", "/registrations"),
    Address("get", REGISTRATION, elsewhere=HIDDEN),
    Address("post", f"{REGISTRATION}/approve", APPROVERS, elsewhere=HIDDEN, body=REASON),
    Address("post", f"{REGISTRATION}/decline", APPROVERS, elsewhere=HIDDEN, body=REASON),
    Address("post", f"{REGISTRATION}/confirm", NOBODY, elsewhere=HIDDEN),
    Address("post", f"{REGISTRATION}/withdraw", APPROVERS, elsewhere=HIDDEN),
    Address("post", "/removals/check", elsewhere=UNKNOWN, body="images"),
    Address("post", "/removals", DISCARDERS, 201, UNKNOWN, "removal"),
    Address("get", "/removals"),
    Address("get", REMOVAL, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/approve", APPROVERS, elsewhere=HIDDEN, body=REASON),
    Address("post", f"{REMOVAL}/decline", APPROVERS, elsewhere=HIDDEN, body=REASON),
    Address("post", f"{REMOVAL}/withdraw", APPROVERS, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/pause", DISCARDERS, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/resume", DISCARDERS, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/retry", DISCARDERS, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/items/{{id}}/keep", VERIFIERS, elsewhere=HIDDEN),
    Address("post", f"{REMOVAL}/undo", DISCARDERS, 201, HIDDEN, REASON),
    Address("get", "/findings"),
    Address("post", "/findings/triage", VERIFIERS, 201, UNKNOWN, "triage"),
    # Only whoever asked.
    Address("get", "/findings/triage/{ref}", answer=HIDDEN, elsewhere=HIDDEN),
    Address("get", FINDING, elsewhere=HIDDEN),
    Address("post", f"{FINDING}/comment", VERIFIERS, elsewhere=HIDDEN, body={"text": "Seen."}),
    Address("post", f"{FINDING}/assign", APPROVERS, elsewhere=HIDDEN, body={"person": "olga"}),
    Address("post", f"{FINDING}/start", VERIFIERS, elsewhere=HIDDEN),
    Address("post", f"{FINDING}/waive", APPROVERS, elsewhere=HIDDEN, body="waiver"),
    Address("post", f"{FINDING}/reopen", APPROVERS, elsewhere=HIDDEN),
    Address("post", f"{FINDING}/watch", VERIFIERS, elsewhere=HIDDEN),
    Address("get", "/instances"),
    Address("get", "/instances/{instance}", elsewhere=HIDDEN),
    Address("get", "/reserved-instances"),
    Address("get", "/reserved-instances/over-time"),
    Address("get", "/reserved-instances/difference", answer=422, elsewhere=422),
    Address("get", "/reserved-instances/ending"),
    Address("get", "/reserved-instances/changes"),
    Address("get", "/reserved-instances/{purchase}", elsewhere=HIDDEN),
    Address("get", "/bills"),
    Address("get", BILL, elsewhere=HIDDEN),
    Address("get", f"{BILL}/disagreements", elsewhere=HIDDEN),
    Address("get", f"{BILL}/purchases", elsewhere=HIDDEN),
    Address("get", f"{BILL}/images", elsewhere=HIDDEN),
)
# What each needs to be in before it can be done.
HELD: dict[str, Any] = {"state": "held", "approvals_needed": 1}
RUNS: dict[str, dict[str, Any]] = {
    "approve": HELD,
    "decline": HELD,
    "withdraw": HELD,
    "retry": {"state": "succeeded", "finished_at": "2026-11-24T12:00:00Z"},
}
ITEMS = {
    "retry": {"state": "failed", "error": "AWS refused."},
    "undo": {"state": "disabled", "disabled_at": "2026-11-24T12:00:00Z"},
}
EACH = [pytest.param(address, id=str(address)) for address in ADDRESSES]


@dataclass(frozen=True)
class World:
    """One of each thing, in one account."""

    account: Any
    paths: dict[str, str]
    bodies: dict[str, Any]

    def ask(self, address: Address, user: Any) -> Any:
        secret = make_token(user=user)[1] if user else "nothing"
        place = REMOVAL if address.path.startswith("/removals") else REGISTRATION
        path = address.path.replace("{uuid}", self.paths[place])
        for name in ("id", "instance", "month", "payer", "purchase", "ref"):
            path = path.replace(f"{{{name}}}", self.paths[name])
        body = self.bodies.get(address.body) if isinstance(address.body, str) else address.body
        headers = {"Authorization": f"Bearer {secret}"}
        if address.method == "get":
            return Client().get(f"/api/v1{path}", headers=headers)
        kind = "application/json"
        return Client().post(f"/api/v1{path}", body or {}, content_type=kind, headers=headers)


@pytest.fixture
def world(request) -> World:
    word = request.node.callspec.params["address"].path.rpartition("/")[2]
    scope = make_scope(account=make_account(name="undisclosed-account"))
    here = {"account": scope.account, "region": scope.region}
    snapshot = make_snapshot(name="undisclosed-snapshot", **here)
    held = make_run(kind="register", state=RunState.HELD, approvals_needed=1)
    registration = make_registration(name="undisclosed-registration", run=held, **here)
    image = make_image(name="undisclosed-image", **here)
    free = make_image(name="undisclosed-too", **here)
    run = make_run(kind="remove", **RUNS.get(word, {}))
    if word == "undo":
        Run.objects.filter(pk=run.pk).update(state="succeeded", finished_at=run.requested_at)
        type(image).objects.filter(pk=image.pk).update(state="disabled")
    removal = make_removal(run=run, is_paused=word == "resume", only_disables=word == "undo")
    make_removal_item(removal=removal, image=image, **ITEMS.get(word, {}))
    wish = {
        "account": scope.account.number,
        "region": scope.region,
        "snapshot_id": snapshot.aws_id,
        "name": "golden",
        "expected_usage_operation": "RunInstances:0010",
        "reason": "There is no instance any more.",
    }
    in_progress = "in_progress" if word == "reopen" else "open"
    finding = make_finding(image=free, title="undisclosed-finding", state=in_progress)
    make_user(Role.VIEWER, username="olga")
    until = (timezone.now() + timedelta(days=30)).date().isoformat()
    bodies = {
        "triage": {"findings": [finding.ref], "action": "comment", "text": "Seen."},
        "waiver": {"owner": "olga", "reason": "Known.", "until": until},
        "wish": wish,
        "images": {"images": [free.aws_id]},
        "removal": {"images": [free.aws_id], **REASON},
    }
    paths = {REGISTRATION: str(registration.key), REMOVAL: str(removal.key), "id": image.aws_id}
    paths["ref"] = finding.ref
    paths["instance"] = make_instance(name="undisclosed-instance", **here).aws_id
    paths["purchase"] = make_reserved_instance(tags={"team": "undisclosed-team"}, **here).aws_id
    bill = make_bill()
    billed = {"bill": bill, "account": scope.account.number}
    make_disagreement(**billed, subject="undisclosed-instance")
    make_billed_purchase(**billed, aws_id="undisclosed-purchase")
    make_billed_usage(**billed, operation="undisclosed-operation")
    paths |= {"payer": bill.payer, "month": "2026-10"}
    return World(scope.account, paths, bodies)


def state():
    return list(Run.objects.order_by("pk").values_list("pk", "state", "note"))


def test_every_address_is_in_the_table():
    known = {
        (
            method.lower(),
            f"{router.prefix}{path}".replace("uuidstr:key", "uuid")
            .replace("image_id", "id")
            .replace("instance_id", "instance")
            .replace("aws_id", "purchase"),
        )
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }

    assert known == {(address.method, address.path) for address in ADDRESSES}


@pytest.mark.parametrize("address", EACH)
def test_nobody_comes_in_without_a_token(world, address):
    before = state()

    answer = world.ask(address, None)

    assert answer.status_code == 401
    assert state() == before


@pytest.mark.parametrize("address", EACH)
def test_a_revoked_token_of_an_administrator_comes_in_nowhere(world, address):
    user = make_user(Role.ADMIN)
    before = state()
    user.is_active = False
    user.save()

    answer = world.ask(address, user)

    assert answer.status_code == 401
    assert state() == before
    assert ApiToken.objects.get().last_used_at is None


@pytest.mark.parametrize("role", [pytest.param(role, id=role.value) for role in Role])
@pytest.mark.parametrize("address", EACH)
def test_a_role_on_the_account(world, address, role):
    before = state()

    answer = world.ask(address, make_user(role, account=world.account))

    if role in address.allowed:
        assert answer.status_code == address.answer, answer.content
    else:
        assert answer.status_code == 403
        assert state() == before


@pytest.mark.parametrize("address", EACH)
def test_a_role_on_another_account_does_not_reach_here(world, address):
    user = make_user(Role.ADMIN, account=make_scope().account)
    before = state()

    answer = world.ask(address, user)

    assert answer.status_code == address.elsewhere
    assert "undisclosed" not in answer.content.decode()
    assert state() == before


@pytest.mark.parametrize("address", EACH)
def test_a_person_without_a_role_sees_nothing(world, address):
    before = state()

    answer = world.ask(address, make_user(None))

    assert answer.status_code == address.elsewhere
    assert "undisclosed" not in answer.content.decode()
    assert state() == before


@pytest.mark.parametrize("address", EACH[3:5])
def test_a_policy_counts_here_too(world, address):
    Policy.objects.create(name="Two for all", approvals=2)

    answer = world.ask(address, make_user(Role.ENGINEER))

    assert "Two for all" in answer.content.decode()


@pytest.mark.parametrize("address", EACH)
def test_the_documentation_names_it(address):
    text = (settings.BASE_DIR / "docs" / "api.md").read_text()
    path = address.path.replace("uuid", "key").replace("{id}/keep", "{image id}/keep")

    head = f"`{address.method.upper()} {path}"
    assert head in text or (f"`/{path.rpartition('/')[2]}`" in text and "resume" in path)
