"""What people do when they make images, in a browser, on the demo."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.making import (
    OVER_MILLISECONDS,
    REGION,
    RHEL,
    choose,
    comes,
    describe,
    make,
    new_name,
    option_of,
    send_all_the_same,
)
from tests.journeys.test_portal import sign_in

DIFFERS = "The AMI exists, but its billing code differs"
HEAD = "account,region,snapshot_id,name,expected_usage_operation\n"


@pytest.fixture
def colleague(browser, demo):
    """A second window, of somebody else."""
    context = browser.new_context(base_url=demo.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def plain(browser, demo):
    """A window that runs no script."""
    context = browser.new_context(base_url=demo.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_an_instance_becomes_a_verified_image(page):
    sign_in(page, "engineer")

    make(page, account="dev-sandbox")

    expect(page.locator("#run")).to_contain_text("CreateImage returned ami-")
    page.get_by_role("link", name="Open image").click()
    expect(page.get_by_text("AWS bills it as what it is.")).to_be_visible()


def test_a_lost_code_is_foreseen_explained_and_made_right_from_the_instance(page):
    sign_in(page, "engineer")
    choose(page, "A snapshot", "golden-rhel9-surrogate", account="dev-sandbox")
    describe(page, new_name("lost"))
    expect(page.get_by_label("Predicted billing")).to_contain_text(
        re.compile("nothing proves it|will probably be wrong")
    )
    page.get_by_role("button", name="Register all the same").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    send_all_the_same(page, "To see what comes of it.")
    comes(page, DIFFERS)

    page.get_by_role("link", name=re.compile("^Create again from i-")).click()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Create image").click()

    comes(page, "Verified")


def test_a_review_leads_to_the_instance_that_it_recommends(page):
    name = new_name("instead")
    sign_in(page, "engineer")
    choose(page, "A snapshot", "golden-rhel9-surrogate", account="dev-sandbox")
    describe(page, name)

    page.get_by_role("button", name=re.compile("^Create from i-.* instead$")).click()
    page.get_by_role("button", name="Review").click()

    expect(page.get_by_role("heading", name=f"Review {name}")).to_be_visible()
    expect(page.get_by_label("Predicted billing")).to_contain_text("will probably be right")
    expect(page.get_by_role("button", name="Create image")).to_be_visible()


def ask_at_risk(page):
    sign_in(page, "developer")
    choose(page, "A snapshot", "golden-rhel9-surrogate")
    describe(page, new_name("risky"))
    expect(page.get_by_label("Approval and checks")).to_contain_text("One other person")
    send_all_the_same(page, "It is for a test.")
    expect(page.get_by_text("Nobody approves their own request.")).to_be_visible(
        timeout=OVER_MILLISECONDS
    )


def test_what_is_at_risk_is_approved_by_somebody_else(page, colleague):
    ask_at_risk(page)
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    sign_in(colleague, "finops")

    colleague.goto(page.url)
    colleague.get_by_label("Reason").fill("The test is worth it.")
    colleague.get_by_role("button", name="Approve").click()

    expect(colleague.get_by_text("Approved J-")).to_be_visible()
    comes(page, DIFFERS)
    expect(page.locator(".timeline")).to_contain_text("The test is worth it.")


def test_what_is_declined_says_why_and_makes_nothing(page, colleague):
    ask_at_risk(page)
    sign_in(colleague, "finops")

    colleague.goto(page.url)
    colleague.get_by_role("button", name="Decline").click()
    expect(colleague.get_by_text("Nothing was decided.")).to_be_visible()
    colleague.get_by_label("Reason").fill("Use the instance.")
    colleague.get_by_role("button", name="Decline").click()

    comes(page, "The image was not made")
    expect(page.locator("#run")).to_contain_text("Declined by finops. Use the instance.")


def test_each_copy_gets_a_verdict_of_its_own(page):
    sign_in(page, "engineer")
    choose(page, "An image, for other regions", "rhel", account="core-prod", having=RHEL)
    copy_to = page.get_by_role("group", name="Copy to")
    copy_to.get_by_label("eu-central-1").check()
    copy_to.get_by_label("us-west-2").check()
    describe(page, new_name("copy"))
    expect(page.get_by_label("Predicted billing")).to_have_count(2)

    page.get_by_role("button", name="Copy image").click()

    verdicts = page.locator("#batch td[data-label=Verdict]")
    expect(verdicts).to_have_text(["Verified", "Verified"], timeout=OVER_MILLISECONDS)


def test_a_file_is_corrected_checked_by_aws_and_confirmed(page):
    sign_in(page, "engineer")
    snapshot = choose(page, "A snapshot", "golden-rhel9-root", account="dev-sandbox")
    account, name = option_of(page, "dev-sandbox"), new_name("many")
    reason = HEAD.replace("\n", ",reason\n")
    good = f"{account},{REGION},{snapshot},{name}-a,{RHEL},Its metadata are whole.\n"
    upload(page, reason + good + good.replace("-a,", "-*,"))
    expect(page.get_by_role("alert")).to_contain_text("1 of 2 lines can't be made")
    expect(page.get_by_role("row", name=f"3 {name}-*")).to_be_visible()

    upload(page, reason + good + good.replace("-a,", "-b,"))
    page.get_by_role("button", name="Make 2 images").click(timeout=OVER_MILLISECONDS)

    verdicts = page.locator("#batch td[data-label=Verdict]")
    expect(verdicts).to_have_text(["Verified", "Verified"], timeout=OVER_MILLISECONDS)


def upload(page, text):
    if "/register/many/" not in page.url:
        page.goto("/register/many/")
    file = {"name": "many.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check all lines").click()


def test_what_is_typed_while_the_form_is_on_its_way_is_not_lost(page):
    sign_in(page, "engineer")
    page.goto("/register/")
    page.route("**/register/", lambda route: (page.wait_for_timeout(800), route.continue_()))

    page.get_by_label("Region", exact=True).select_option("us-west-2")
    page.get_by_label("Image name").press_sequentially("typed", delay=10)

    expect(page.locator("option[value=us-west-2][selected]")).to_have_count(1)
    expect(page.get_by_label("Image name")).to_have_value("typed")


def test_going_back_and_sending_again_makes_nothing_twice(page):
    sign_in(page, "engineer")
    choose(page, "An instance", "image-builder", account="dev-sandbox", having=RHEL)
    describe(page, new_name("twice"))
    page.get_by_role("button", name="Create image").dblclick()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    first = page.url

    page.go_back()
    page.get_by_role("button", name="Create image").click()

    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    assert page.url == first


def test_an_image_is_asked_for_without_script(plain):
    sign_in(plain, "engineer")
    plain.goto("/register/")
    plain.get_by_role("radio", name="An instance Keeps").check()
    plain.get_by_label("Account", exact=True).select_option(option_of(plain, "dev-sandbox"))
    plain.get_by_role("searchbox", name="Find", exact=True).fill("image-builder")
    plain.get_by_role("button", name="Show", exact=True).click()
    row = plain.locator(".picker tbody tr").filter(has_text=RHEL).first
    row.get_by_role("radio").check()
    describe(plain, new_name("plain"))

    plain.get_by_role("button", name="Create image").click()

    expect(plain.get_by_role("heading", name="Timeline")).to_be_visible()
