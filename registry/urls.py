"""Every page, by name."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from registry.views import (
    accounts,
    batches,
    bills,
    codes,
    coverage,
    decisions,
    declarations,
    difference,
    ending,
    finding,
    finding_causes,
    findings,
    health,
    images,
    instances,
    me,
    overview,
    patterns,
    policies,
    registrations,
    removals,
    reports,
    reserved_instance,
    reserved_instances,
    rules,
    runs,
    scope,
    search,
    sign_in,
    triage,
    triage_many,
    what_if,
)

_images = [
    path("", images.ImageList.as_view(), name="list"),
    path("verify/", images.verify, name="verify"),
    path("discard/", removals.discard, name="discard"),
    path("bring-back/", removals.bring_back, name="bring-back"),
    path("<str:aws_id>/", images.image, name="detail"),
    path("<str:aws_id>/declare/", declarations.declare_it, name="declare"),
]
_instances = [
    path("", instances.InstanceList.as_view(), name="list"),
    path("<str:aws_id>/", instances.instance, name="detail"),
]
_findings = [
    path("", findings.FindingList.as_view(), name="list"),
    path("causes/", finding_causes.CauseList.as_view(), name="causes"),
    path("triage/", triage_many.triage, name="triage"),
    path("<str:ref>/", finding.finding, name="detail"),
    path("<str:ref>/comment/", triage.comment_on, name="comment"),
    path("<str:ref>/assign/", triage.assign_it, name="assign"),
    path("<str:ref>/start/", triage.start_it, name="start"),
    path("<str:ref>/waive/", triage.waive_it, name="waive"),
    path("<str:ref>/reopen/", triage.reopen_it, name="reopen"),
    path("<str:ref>/watch/", triage.watch_it, name="watch"),
]
_reserved_instances = [
    path("", reserved_instances.ReservedInstanceList.as_view(), name="list"),
    path("ending/", ending.ending, name="ending"),
    path("difference/", difference.difference, name="difference"),
    path("over-time/", coverage.over_time, name="over-time"),
    path("changes/", what_if.what_if, name="changes"),
    path("<str:aws_id>/", reserved_instance.reserved_instance, name="detail"),
]
_bills = [
    path("", bills.BillList.as_view(), name="list"),
    path("<str:payer>/<str:month>/", bills.DisagreementList.as_view(), name="detail"),
    path("<str:payer>/<str:month>/purchases/", bills.PurchaseList.as_view(), name="purchases"),
    path("<str:payer>/<str:month>/images/", bills.bill_images, name="images"),
]
_rules = [
    path("", rules.rule_list, name="list"),
    path("<str:rule_id>/", rules.rule, name="detail"),
]
_jobs = [
    path("", runs.RunList.as_view(), name="list"),
    path("<str:ref>/", runs.run, name="detail"),
    path("<str:ref>/status/", runs.status, name="status"),
    path("<str:ref>/decide/", decisions.decide_on, name="decide"),
    path("<str:ref>/confirm/", decisions.confirm_it, name="confirm"),
    path("<str:ref>/withdraw/", decisions.withdraw_it, name="withdraw"),
    path("<str:ref>/pause/", decisions.pause_it, name="pause"),
    path("<str:ref>/resume/", decisions.resume_it, name="resume"),
    path("<str:ref>/retry/", decisions.retry_it, name="retry"),
    path("<str:ref>/keep/", decisions.keep_image, name="keep"),
]
_patterns = [
    path("", patterns.pattern_list, name="list"),
    path("new/", patterns.create, name="new"),
    path("<int:pk>/", patterns.pattern, name="detail"),
    path("<int:pk>/delete/", patterns.delete, name="delete"),
]
_accounts = [
    path("", accounts.account_list, name="list"),
    path("sync/", accounts.sync_now, name="sync"),
    path("load/", accounts.load, name="load"),
    path("<str:number>/", accounts.account, name="detail"),
]
_reports = [
    path("", reports.report_list, name="list"),
    path("new/", reports.create, name="create"),
    path("<str:ref>.csv", reports.report_csv, name="csv"),
    path("<str:ref>/", reports.report, name="detail"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("healthz/", health.health, name="health"),
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("me/", me.me, name="me"),
    path("me/password/", me.ChangePassword.as_view(), name="password"),
    path("scope/", scope.set_scope, name="scope"),
    path("search/", search.search, name="search"),
    path("register/", registrations.register, name="register"),
    path("register/many/", batches.register_many, name="register-many"),
    path("register/many/<uuid:key>/", batches.batch, name="register-batch"),
    path("register/many/<uuid:key>/status/", batches.batch_status, name="register-batch-status"),
    path("register/many/<uuid:key>/confirm/", batches.confirm_batch, name="register-batch-confirm"),
    path(
        "register/many/<uuid:key>/withdraw/", batches.withdraw_batch, name="register-batch-withdraw"
    ),
    path("policies/", policies.policies, name="policies"),
    path("patterns/", include((_patterns, "patterns"))),
    path("billing-codes/", codes.codes, name="codes"),
    path("rules/", include((_rules, "rules"))),
    path("images/", include((_images, "images"))),
    path("instances/", include((_instances, "instances"))),
    path("findings/", include((_findings, "findings"))),
    path("reserved-instances/", include((_reserved_instances, "reserved-instances"))),
    path("bills/", include((_bills, "bills"))),
    path("jobs/", include((_jobs, "jobs"))),
    path("accounts/", include((_accounts, "accounts"))),
    path("reports/", include((_reports, "reports"))),
]
