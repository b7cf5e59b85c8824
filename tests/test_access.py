"""Every address of the portal, and who may do what there."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from registry.access import Action, accounts, may, may_everywhere, may_somewhere, visible
from registry.models import Image, Policy, Role, Run
from tests.factories import (
    NOON,
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_finding,
    make_image,
    make_instance,
    make_pattern,
    make_registration,
    make_removal,
    make_removal_item,
    make_report,
    make_reserved_instance,
    make_run,
    make_scope,
    make_snapshot,
    make_user,
)

pytestmark = pytest.mark.django_db
EVERYONE = frozenset(Role)
ADMIN = frozenset({Role.ADMIN})
NOBODY: frozenset[Role] = frozenset()
REGISTRARS = frozenset({Role.DEVELOPER, Role.ENGINEER, Role.ADMIN})
REMOVERS = frozenset({Role.ENGINEER, Role.ADMIN})
OPERATORS = frozenset({Role.FINOPS, Role.ENGINEER, Role.ADMIN})
VERIFIERS = OPERATORS | {Role.DEVELOPER}
IN_A_MONTH = (timezone.now() + timedelta(days=30)).date().isoformat()
WAIVER = {"text": "Known.", "person": "other", "until": IN_A_MONTH}
SAID = {"answer": "approve", "reason": "Agreed."}
HIDDEN = 404


@dataclass(frozen=True)
class Page:
    """An address: who may, and what somebody sees whose role is on another account."""

    name: str
    allowed: frozenset[Role] = EVERYONE
    of: str = ""  # what the address names
    post: dict[str, Any] | None = None
    elsewhere: int = 200
    expects: tuple[int, ...] = field(default=(200, 302))

    def __str__(self) -> str:
        return self.name


PAGES = (
    Page("overview"),
    Page("me"),
    Page("password"),
    Page("admin-password", elsewhere=302),
    Page("search"),
    Page("scope", post={"next": "/"}, elsewhere=302),
    Page("codes"),
    Page("rules:list"),
    Page("rules:detail", of="rule"),
    Page("policies"),
    Page("patterns:list"),
    Page("patterns:new", ADMIN, elsewhere=403),
    Page("patterns:detail", ADMIN, of="pattern", elsewhere=403),
    Page("patterns:delete", ADMIN, of="pattern", elsewhere=403),
    Page("register", REGISTRARS, elsewhere=200),
    Page("register-many", REGISTRARS, elsewhere=200),
    Page("register-batch", of="batch", elsewhere=HIDDEN),
    Page("register-batch-status", of="batch", elsewhere=HIDDEN),
    # Only whoever asked confirms.
    Page("register-batch-confirm", NOBODY, of="batch", post={}, elsewhere=HIDDEN),
    Page("register-batch-withdraw", OPERATORS, of="batch", post={}, elsewhere=HIDDEN),
    Page("images:list"),
    Page("images:detail", of="image", elsewhere=HIDDEN),
    Page("images:declare", OPERATORS, of="image", elsewhere=HIDDEN),
    Page("images:discard", REGISTRARS, elsewhere=302),
    Page("images:bring-back", REGISTRARS, elsewhere=302),
    Page("images:verify", VERIFIERS, post={"pick": "image"}, elsewhere=302),
    Page("instances:list"),
    Page("instances:detail", of="instance", elsewhere=HIDDEN),
    Page("findings:list"),
    Page("findings:causes"),
    Page("findings:triage", VERIFIERS, elsewhere=302),
    Page("findings:detail", of="finding", elsewhere=HIDDEN),
    Page("findings:comment", VERIFIERS, of="finding", post={"text": "Seen."}, elsewhere=HIDDEN),
    Page("findings:assign", OPERATORS, of="finding", post={"person": "other"}, elsewhere=HIDDEN),
    Page("findings:start", VERIFIERS, of="finding", post={}, elsewhere=HIDDEN),
    Page("findings:waive", OPERATORS, of="finding", post=WAIVER, elsewhere=HIDDEN),
    Page("findings:reopen", OPERATORS, of="finding", post={}, elsewhere=HIDDEN),
    Page("findings:watch", VERIFIERS, of="finding", post={}, elsewhere=HIDDEN),
    Page("reserved-instances:list"),
    Page("reserved-instances:changes"),
    Page("reserved-instances:over-time"),
    Page("bills:list"),
    Page("bills:detail", of="bill", elsewhere=HIDDEN),
    Page("bills:purchases", of="bill", elsewhere=HIDDEN),
    Page("bills:images", of="bill", elsewhere=HIDDEN),
    Page("reserved-instances:ending"),
    Page("reserved-instances:difference"),
    Page("reserved-instances:detail", of="purchase", elsewhere=HIDDEN),
    Page("jobs:list"),
    Page("jobs:detail", of="run", elsewhere=HIDDEN),
    Page("jobs:status", of="run", elsewhere=HIDDEN),
    Page("jobs:decide", OPERATORS, of="request", post=SAID, elsewhere=HIDDEN),
    Page("jobs:confirm", NOBODY, of="trial", post={}, elsewhere=HIDDEN),
    Page("jobs:withdraw", OPERATORS, of="request", post={}, elsewhere=HIDDEN),
    Page("jobs:pause", REMOVERS, of="removal", post={}, elsewhere=HIDDEN),
    Page("jobs:resume", REMOVERS, of="removal", post={}, elsewhere=HIDDEN),
    Page("jobs:retry", REMOVERS, of="removal", post={}, elsewhere=HIDDEN),
    Page("jobs:keep", VERIFIERS, of="removal", post={"item": "item"}, elsewhere=HIDDEN),
    Page("accounts:list"),
    Page("accounts:detail", of="account", elsewhere=HIDDEN),
    Page("accounts:load", ADMIN, elsewhere=403),
    Page("accounts:sync", OPERATORS, post={}, elsewhere=302),
    Page("reports:list"),
    Page("reports:detail", of="report"),
    Page("reports:csv", of="report"),
    Page("reports:create", post={}, elsewhere=403),
    Page("logout", post={}, elsewhere=302),
)
PUBLIC = {"health", "login"}
WITH_ID = [pytest.param(page, id=str(page)) for page in PAGES]


@dataclass(frozen=True)
class World:
    """One of each thing, in one account."""

    ids: dict[str, str]
    account: Any

    def ask(self, client: Client, page: Page) -> Any:
        if page.post is None:
            return client.get(self.address(page))
        sent = {key: self.ids.get(value, value) for key, value in page.post.items()}
        return client.post(self.address(page), sent)

    def address(self, page: Page) -> str:
        return reverse(page.name, args=self.ids[page.of].split("/") if page.of else [])


@pytest.fixture
def world() -> World:
    scope = make_scope(account=make_account(name="undisclosed-account"))
    here = {"account": scope.account, "region": scope.region}
    image = make_image(name="undisclosed-image", **here)
    purchase = make_reserved_instance(**here)
    run = make_run(kind="verify", scope=scope)
    instance = make_instance(name="undisclosed-instance", image_id=image.aws_id, **here)
    make_snapshot(name="undisclosed-snapshot", **here)
    held = {"kind": "register", "state": "held", "requested_by": make_user(Role.DEVELOPER)}
    waiting = make_run(approvals_needed=2, **held)
    trial = make_run(is_trial=True, **held)
    make_registration(run=waiting, name="undisclosed-request", **here)
    batch = make_registration(run=trial, name="undisclosed-trial", batch=uuid.uuid4(), **here).batch
    make_user(Role.VIEWER, username="other")
    Policy.objects.create(name="undisclosed-policy", account=scope.account)
    item = make_removal_item(image=image, removal=make_removal(reason="undisclosed-reason"))
    totals = {"images": 1, "verdicts": {}, "open_findings": 0, "idle_per_month": None}
    result = {"as_of": NOON.isoformat(), "totals": totals, "findings": [], "scopes": []}
    report = make_report(
        created_at=NOON, result=result | {"difference": {"opened": [], "closed": []}}
    )
    pattern = make_pattern(text="undisclosed-pattern", account=scope.account)
    bill = make_bill(payer=scope.account.number)
    make_disagreement(bill=bill, billed="undisclosed-code")
    make_billed_purchase(bill=bill, aws_id="undisclosed-purchase")
    make_billed_usage(bill=bill, operation="undisclosed-operation")
    ids = {
        "bill": f"{bill.payer}/{bill.month:%Y-%m}",
        "image": image.aws_id,
        "instance": instance.aws_id,
        "pattern": str(pattern.pk),
        "purchase": purchase.aws_id,
        "finding": make_finding(image=image).ref,
        "run": run.ref,
        "request": waiting.ref,
        "trial": trial.ref,
        "batch": str(batch),
        "removal": item.removal.run.ref,
        "item": str(item.pk),
        "account": scope.account.number,
        "rule": "AMI001",
        "report": report.ref,
    }
    return World(ids, scope.account)


def addresses(patterns: list[Any], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        # The administration and the API have tables of their own.
        if isinstance(pattern, URLResolver) and pattern.app_name not in {"admin", "ninja"}:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}"


def test_every_address_is_in_the_table():
    known = {page.name for page in PAGES} | PUBLIC

    assert set(addresses(get_resolver().url_patterns)) == known


@pytest.mark.parametrize("page", WITH_ID)
def test_nobody_comes_in_without_signing_in(client, world, page):
    before = list(Run.objects.order_by("pk").values_list("pk", "state"))

    answer = world.ask(client, page)

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("login"))
    assert list(Run.objects.order_by("pk").values_list("pk", "state")) == before


@pytest.mark.parametrize("role", [pytest.param(role, id=role.value) for role in Role])
@pytest.mark.parametrize("page", WITH_ID)
def test_a_role_everywhere(client, world, page, role):
    client.force_login(make_user(role))

    answer = world.ask(client, page)

    if role in page.allowed:
        assert answer.status_code in page.expects
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("page", WITH_ID)
def test_a_person_without_a_role_sees_nothing(client, world, page):
    client.force_login(make_user(None))

    answer = world.ask(client, page)

    assert answer.status_code in {200, 302, 403, 404}
    assert "undisclosed" not in answer.content.decode()


@pytest.mark.parametrize("page", WITH_ID)
def test_a_role_on_another_account_does_not_reach_here(client, world, page):
    elsewhere = make_scope()
    client.force_login(make_user(Role.ADMIN, account=elsewhere.account))
    before = list(Run.objects.order_by("pk").values_list("pk", "state"))

    answer = world.ask(client, page)

    assert answer.status_code == page.elsewhere
    assert "undisclosed" not in answer.content.decode()
    of_others = Run.objects.exclude(scope__account=elsewhere.account)
    assert list(of_others.order_by("pk").values_list("pk", "state")) == before


@pytest.mark.parametrize("page", [page for page in WITH_ID if page.values[0].post is not None])
def test_what_changes_something_is_never_a_link(client, world, page):
    client.force_login(make_user(Role.ADMIN))

    answer = client.get(world.address(page))

    assert answer.status_code == 405


def test_a_form_from_another_site_is_refused(world):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(Role.ADMIN))

    answer = strict.post(reverse("accounts:sync"))

    assert answer.status_code == 403


@pytest.mark.parametrize("action", [pytest.param(action, id=action.value) for action in Action])
def test_a_role_on_one_account_is_no_role_on_another(action):
    mine, other = make_account(), make_account()
    user = make_user(Role.ADMIN, account=mine)

    assert may(user, action, mine)
    assert not may(user, action, other)
    assert may_somewhere(user, action)
    assert not may_everywhere(user, action)
    assert list(accounts(user, action)) == [mine]


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        pytest.param(Role.VIEWER, {"read", "export", "report"}, id="viewer"),
        pytest.param(
            Role.DEVELOPER,
            {"read", "export", "report", "verify", "comment", "register", "discard own"},
            id="developer",
        ),
        pytest.param(
            Role.FINOPS,
            {
                *("read", "export", "report", "sync", "verify", "audit", "approve"),
                *("comment", "triage", "declare"),
            },
            id="finops",
        ),
        pytest.param(Role.ENGINEER, set(Action) - {"manage"}, id="engineer"),
        pytest.param(Role.ADMIN, set(Action), id="admin"),
    ],
)
def test_what_a_role_may(role, actions):
    account = make_account()
    user = make_user(role, account=account)

    assert {action.value for action in Action if may(user, action, account)} == actions


def test_a_deactivated_person_may_nothing():
    account = make_account()
    user = make_user(Role.ADMIN, is_active=False)

    assert not any(may(user, action, account) for action in Action)
    assert not accounts(user).exists()


def test_rows_of_other_accounts_are_left_out():
    mine, other = make_image(), make_image()
    user = make_user(Role.VIEWER, account=mine.account)

    rows = visible(Image.objects.all(), user)

    assert list(rows) == [mine]
    assert other not in rows
