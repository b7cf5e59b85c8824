"""Asking for an AMI: a form, a review of what would become of it, and the request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from registry.access import Action, accounts, may_somewhere
from registry.forms.devices import Devices
from registry.forms.registration import OF_OTHERS, SOURCES, WITH_DEVICES, RegistrationForm
from registry.http import SignedInRequest
from registry.jobs.registrations import ManyRefused, request_registrations
from registry.models import Account, Method, Registration, Scope
from registry.registration import Proposal, Wish, as_command, propose
from registry.views.again import as_form
from registry.views.refs import key_of
from registry.views.shell import runs
from registry.views.sources import choices

SHOW, ADD, INSTEAD, REVIEW, SUBMIT = "show", "add", "instead", "review", "submit"
_NO_DEVICES = {"devices-TOTAL_FORMS": "0", "devices-INITIAL_FORMS": "0"}


@dataclass(frozen=True)
class Asked:
    """What the browser sent, and what it is about. `is_whole`: all of the form was sent."""

    data: QueryDict
    is_whole: bool
    own: QuerySet[Account]
    account: Account
    region: str

    @property
    def method(self) -> str:
        wanted = self.data.get("method", "")
        return wanted if wanted in Method.values else Method.SNAPSHOT

    @property
    def regions(self) -> list[str]:
        scopes = self.account.scopes.enabled().order_by("region")
        return list(scopes.values_list("region", flat=True))


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """Show the form, review it, or queue the request; the same form twice is one request."""
    if not may_somewhere(request.user, Action.REGISTER):
        raise PermissionDenied("Your role can't register images.")
    own = accounts(request.user, Action.REGISTER).filter(is_synced=True).order_by("name")
    if not own.exists():
        messages.error(request, "No account in which you may register images is connected to AWS.")
        return redirect("accounts:list")
    asked = _asked(request, own)
    step = request.POST.get("step", SUBMIT) if request.method == "POST" else SHOW
    if step in {SHOW, ADD, INSTEAD}:
        form, devices = _typed(asked, has_one_more=step == ADD)
        return _page(request, asked, form, devices)
    return _decide(request, asked, is_review=step == REVIEW)


def _asked(request: SignedInRequest, own: QuerySet[Account]) -> Asked:
    is_whole = request.method == "POST"
    data: QueryDict = request.POST if is_whole else request.GET
    if not is_whole and "again" in data:
        data, is_whole = _repeated(request, data), True
    if data.get("step") == INSTEAD:
        data = _from_instance(data)
    account = own.filter(number=data.get("account", "")).first() or own[0]
    scopes = Scope.objects.enabled().filter(account=account).order_by("region")
    scope = scopes.filter(region=data.get("region", "")).first() or scopes.first()
    return Asked(data, is_whole, own, account, scope.region if scope else "")


def _from_instance(data: QueryDict) -> QueryDict:
    """Return the same wish, made from the instance that the review recommends."""
    found = data.copy()
    found["method"], found[SOURCES[Method.INSTANCE]] = Method.INSTANCE, data.get("instead", "")
    return found


def _repeated(request: SignedInRequest, wanted: QueryDict) -> QueryDict:
    """Return an earlier request as form data, with what the address changes of it."""
    ref = str(wanted["again"])
    run = runs(request).filter(pk=key_of(ref, "J"), registration__isnull=False).first()
    if run is None:
        raise Http404(f"There is no registration {ref}.")
    data = as_form(run.registration)
    for name in set(wanted) - {"again"}:
        data.setlist(name, wanted.getlist(name))
    return data


def _typed(asked: Asked, *, has_one_more: bool = False) -> tuple[RegistrationForm, Any]:
    """Return the form with what was typed so far, without a judgment of it."""
    form = RegistrationForm(accounts=asked.own, regions=asked.regions)
    for name, field in form.fields.items():
        if asked.is_whole or name in asked.data:
            value = field.widget.value_from_datadict(asked.data, {}, name)
            form.initial[name] = value if value is not None else field.initial
    chosen = {"account": asked.account.number, "region": asked.region, "method": asked.method}
    form.initial.update(chosen)
    typed = Devices(_with_devices(asked.data), prefix="devices")
    devices = [_raw(one) for one in typed.forms] + [{}] * has_one_more
    return form, Devices(initial=devices, prefix="devices")


def _with_devices(data: QueryDict) -> Any:
    return data if "devices-TOTAL_FORMS" in data else _NO_DEVICES


def _raw(form: Any) -> dict[str, Any]:
    return {
        name: field.widget.value_from_datadict(form.data, {}, form.add_prefix(name))
        for name, field in form.fields.items()
    }


def _decide(request: SignedInRequest, asked: Asked, *, is_review: bool) -> HttpResponse:
    form = RegistrationForm(asked.data, accounts=asked.own, regions=asked.regions)
    devices = Devices(_with_devices(asked.data), prefix="devices")
    if _is_wrong(asked, form, devices):
        return _page(request, asked, form, devices)
    wishes = form.wishes(devices.mappings() if asked.method in WITH_DEVICES else [])
    done = {row.key: row for row in Registration.objects.filter(key__in=[w.key for w in wishes])}
    if len(done) == len(wishes):
        _warn_of_changes(request, wishes, done)
        return _shown(list(done.values()))
    proposals = propose(wishes, by=request.user)
    _note_problems(form, proposals)
    if form.errors:
        return _page(request, asked, form, devices)
    if is_review or any(proposal.problems for proposal in proposals):
        return _review(request, asked, proposals, is_review=is_review)
    batch = form.cleaned_data["key"] if len(wishes) > 1 else None
    try:
        return _shown(request_registrations(wishes, by=request.user, batch=batch))
    except ManyRefused as error:  # somebody was faster
        form.add_error(None, str(error))
        return _page(request, asked, form, devices)


def _is_wrong(asked: Asked, form: RegistrationForm, devices: Any) -> bool:
    # Both are looked at, so that all that is wrong is said at once.
    is_wrong = not form.is_valid()
    return (asked.method in WITH_DEVICES and not devices.is_valid()) or is_wrong


def _warn_of_changes(
    request: SignedInRequest, wishes: Sequence[Wish], done: Mapping[UUID, Registration]
) -> None:
    """Say that what was changed after the form had been sent is not asked for."""
    for wish in wishes:
        row = done[wish.key]
        if any(getattr(row, name) != value for name, value in wish.fields.items()):
            said = "was asked for with this form already. What you changed since was not."
            messages.warning(request, f"{row.name} {said} Open a new form for it.")


def _shown(registrations: Sequence[Registration]) -> HttpResponse:
    first = registrations[0]
    return redirect("register-batch", first.batch) if first.batch else redirect(first.run)


def _note_problems(form: RegistrationForm, proposals: Sequence[Proposal]) -> None:
    """Put what is wrong to its field; a missing reason is asked for on the review."""
    for proposal in proposals:
        where = f"{proposal.registration.region}: " if len(proposals) > 1 else ""
        for field, problem in proposal.problems.items():
            if field != "reason":
                form.add_error(field if field in form.fields else None, where + problem)


def _page(
    request: SignedInRequest, asked: Asked, form: RegistrationForm, devices: Any
) -> HttpResponse:
    context = {
        "section": "register",
        "form": form,
        "devices": devices,
        "account": asked.account,
        "region": asked.region,
        "method": asked.method,
        "methods": Method,
        "carried": [form[name] for name in sorted(OF_OTHERS[asked.method])],
        "has_devices": asked.method in WITH_DEVICES,
        "choices": choices(
            asked.method,
            asked.account,
            asked.region,
            words=asked.data.get("q", ""),
            chosen=asked.data.get(SOURCES[asked.method], ""),
        ),
        "source_field": form[SOURCES[asked.method]],
    }
    context["is_wrong"] = form.is_bound and _is_wrong(asked, form, devices)
    status = 422 if context["is_wrong"] else 200
    return render(request, "registry/register.html", context, status=status)


def _review(
    request: SignedInRequest, asked: Asked, proposals: Sequence[Proposal], *, is_review: bool
) -> HttpResponse:
    left_out = {"csrfmiddlewaretoken", "step", "reason", "instead"}
    sent = [(k, v) for k, values in asked.data.lists() if k not in left_out for v in values]
    context = {
        "section": "register",
        "proposals": proposals,
        "first": proposals[0],
        "commands": [as_command(proposal.registration) for proposal in proposals],
        "sent": sent,
        "reason": asked.data.get("reason", ""),
        "must_explain": any(one.prediction.must_explain for one in proposals if one.prediction),
        "is_refused": not is_review,
        "instance": _recommended(proposals),
    }
    status = 200 if is_review else 422
    return render(request, "registry/register_review.html", context, status=status)


def _recommended(proposals: Sequence[Proposal]) -> str:
    found = [one.prediction.instance_id for one in proposals if one.prediction]
    return next(filter(None, found), "")
