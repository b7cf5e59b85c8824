"""What people do with the portal, in a browser, on the demo."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "look-around"
ROLES = ("viewer", "developer", "finops", "engineer", "admin")
PATHS = (
    *("/", "/images/", "/instances/", "/findings/", "/reserved-instances/", "/billing-codes/"),
    *("/jobs/", "/accounts/", "/reports/", "/register/"),
    *("/findings/causes/", "/rules/", "/patterns/"),
    *("/reserved-instances/ending/", "/reserved-instances/difference/"),
    *("/reserved-instances/over-time/", "/reserved-instances/changes/", "/bills/"),
)


def sign_in(page: Page, who: str) -> None:
    page.goto("/")
    page.get_by_label("User name").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_signs_in(page, demo, role):
    assert f"  {role}" in demo.lines

    sign_in(page, role)

    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def test_a_wrong_password_is_told_without_saying_which(page):
    page.goto("/login/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("not-it")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("User name and password don't match")


def test_the_overview_leads_with_what_costs_money(page):
    sign_in(page, "finops")

    figures = page.get_by_label("Key figures")

    expect(figures).to_contain_text(re.compile(r"\$[1-9][\d,]* per month"))
    expect(figures).to_contain_text(re.compile(r"Open findings\s*[1-9]\d*"))
    expect(figures).to_contain_text(re.compile(r"[1-9]\d* mismatched"))
    expect(figures).to_contain_text("None failing")


def test_a_snapshot_with_its_metadata_becomes_a_verified_image(page):
    register(page, "golden-rhel9-root")

    expect(page.get_by_role("heading", name="Verified")).to_be_visible(timeout=60_000)
    expect(page.locator("#run")).to_contain_text("Red Hat Enterprise Linux")
    page.get_by_role("link", name="Open image").click()
    expect(page.get_by_text("AWS bills it as what it is.")).to_be_visible()


def test_a_snapshot_without_metadata_ends_as_a_mismatch_with_advice(page):
    register(page, "golden-rhel9-surrogate")

    heading = page.get_by_role("heading", name="The AMI exists, but its billing code differs")
    expect(heading).to_be_visible(timeout=60_000)
    expect(page.locator(".remedy")).to_contain_text("Create the AMI again with CreateImage")
    expect(page.locator(".remedy")).to_contain_text("Discard this AMI")
    page.get_by_role("link", name="Open image").click()
    expect(page.get_by_text("Code lost").first).to_be_visible()


def register(page: Page, snapshot: str) -> None:
    sign_in(page, "engineer")
    page.goto("/register/?account=903318846125")  # dev-sandbox
    page.get_by_label("Region", exact=True).select_option("us-east-1")
    page.get_by_role("searchbox", name="Find", exact=True).fill(snapshot)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_label(f"Select {snapshot}").check()
    page.get_by_label("Which platform must AWS bill?").select_option("RunInstances:0010")
    page.get_by_label("Image name").fill(f"journey-{uuid.uuid4().hex[:8]}")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_text("Nothing has been sent to AWS.")).to_be_visible()
    why = page.get_by_label("Why this way?")
    if why.count():  # an earlier image of the snapshot may have proved what becomes of its code
        why.fill("There is no instance any more.")
    page.get_by_role("button", name=re.compile("^Register (all the same|and verify)$")).click()
    expect(page.get_by_role("heading", name="Register image", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_what_is_wrong_is_said_at_its_field(page):
    sign_in(page, "developer")
    page.goto("/register/?region=us-east-1")
    page.get_by_label("Image name").fill("no*stars")
    page.get_by_role("button", name="Review").click()

    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent to AWS")
    expect(page.get_by_text("Choose a snapshot from the list.")).to_be_visible()
    expect(page.get_by_text("Choose what AWS must bill it as.")).to_be_visible()
    expect(page.get_by_label("Image name")).to_have_value("no*stars")


def test_a_list_is_filtered_where_it_stands_and_back_leads_back(page):
    sign_in(page, "engineer")
    page.goto("/images/")
    everything = page.locator("#list [data-total]").inner_text()

    page.get_by_label("Filter", exact=True).fill("surrogate")
    expect(page.locator(".chip")).to_contain_text("surrogate")
    filtered = page.locator("#list [data-total]").inner_text()
    page.go_back()

    assert filtered != everything
    expect(page.locator("#list [data-total]")).to_have_text(everything)


def test_selected_images_are_verified_again(page):
    sign_in(page, "engineer")
    page.goto("/images/?q=surrogate")
    page.get_by_role("checkbox", name=re.compile("^Select .*surrogate")).first.check()
    page.get_by_role("button", name="Verify again").click()

    expect(page.get_by_text("1 image is read again.")).to_be_visible()
    expect(page.locator("#run")).to_contain_text("1 of 1 images read again", timeout=30_000)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_breaks_its_policy_or_its_width(page, path, width):
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, "admin")

    page.goto(path)

    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
