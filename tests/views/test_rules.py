import pytest
from django.urls import reverse

from registry.billing.rules import CLOSES, RULEBOOK
from registry.models import Role
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_reserved_instance,
    make_user,
)


def page_of(client, rule):
    return client.get(reverse("rules:detail", args=[rule])).content.decode()


def test_the_list_has_every_rule_with_its_open_findings(signed_in):
    make_finding(rule="AMI009")
    make_finding(rule="AMI009", state="in_progress")
    make_finding(rule="AMI009", state="waived")
    make_finding(rule="AMI009", state="resolved", resolved_at=NOON)

    answer = signed_in.get(reverse("rules:list"))

    numbers = {entry.id: number for entry, number in answer.context["rows"]}
    assert numbers == dict.fromkeys(RULEBOOK, 0) | {"AMI009": 2}
    assert "/findings/?rule=AMI009" in answer.content.decode()
    assert "/findings/?rule=AMI001" not in answer.content.decode()


@pytest.mark.parametrize("rule", RULEBOOK)
def test_a_rule_has_a_page_with_all_that_the_rulebook_says(signed_in, rule):
    text = page_of(signed_in, rule).replace("&#x27;", "'")

    entry = RULEBOOK[rule]
    said = (entry.title, entry.checks, entry.facts, entry.matters, entry.silent, entry.levels)
    assert [words for words in (*said, *entry.remedy, CLOSES[rule]) if words not in text] == []
    assert entry.source.address in text
    assert "No open findings" in text


def test_its_page_counts_what_the_list_of_findings_shows(signed_in):
    make_finding(image=None, reserved_instance=make_reserved_instance(), rule="RI001")
    make_finding(rule="AMI001", state="resolved", resolved_at=NOON)

    assert "1 open finding</a>" in page_of(signed_in, "RI001")
    assert len(signed_in.get("/findings/?rule=RI001").context["rows"]) == 1
    assert "No open findings" in page_of(signed_in, "AMI001")


def test_findings_out_of_reach_are_not_counted(client, db):
    account = make_account()
    make_finding(image=make_image(account=account))
    make_finding(image=make_image())
    client.force_login(make_user(Role.VIEWER, account=account))

    assert "1 open finding</a>" in page_of(client, "AMI001")


def test_there_is_no_page_of_a_rule_that_is_not_there(signed_in):
    assert signed_in.get(reverse("rules:detail", args=["AMI999"])).status_code == 404


def test_a_finding_leads_to_its_rule(signed_in):
    finding = make_finding(rule="AMI002")

    text = signed_in.get(finding.get_absolute_url()).content.decode()

    assert 'href="/rules/AMI002/"' in text
