"""What people do when they discard images and bring them back, in a browser, on the demo."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.making import (
    OVER_MILLISECONDS,
    bring_back,
    discard,
    make,
)
from tests.journeys.test_portal import sign_in


@pytest.fixture
def colleague(browser, demo):
    """A second window, of somebody else."""
    context = browser.new_context(base_url=demo.url)
    yield context.new_page()
    context.close()


def state_of(page):
    return page.locator("#run td[data-label=State]")


def discard_new(page, *, account):
    """Make an image, discard it from its page, and return its name."""
    sign_in(page, "engineer")
    name = make(page, account=account)
    page.get_by_role("link", name="Open image").click()
    page.get_by_role("link", name="Discard").click()
    discard(page, name)
    expect(state_of(page)).to_contain_text("Deregistered", timeout=OVER_MILLISECONDS)
    return name


def test_a_discarded_image_comes_back_where_the_recycle_bin_has_it(page):
    name = discard_new(page, account="core-prod")
    ledger = page.url
    page.goto(f"/images/?q={name}")
    expect(page.get_by_role("link", name=name)).to_have_count(0)

    page.goto(ledger)
    bring_back(page)

    expect(page.get_by_text("1 restored").first).to_be_visible(timeout=OVER_MILLISECONDS)
    page.goto(f"/images/?q={name}")
    expect(page.get_by_role("link", name=name)).to_be_visible()


def test_where_there_is_no_recycle_bin_the_portal_says_that_it_is_gone(page):
    discard_new(page, account="dev-sandbox")

    bring_back(page)

    expect(state_of(page)).to_contain_text("gone for good", timeout=OVER_MILLISECONDS)


def test_the_wrong_word_discards_nothing(page):
    sign_in(page, "engineer")
    mark(page)

    discard(page, "yes")

    expect(page.get_by_role("alert")).to_contain_text("Nothing was asked for")
    expect(page.get_by_label("Reason")).to_have_value("Nobody needs it.")


def mark(page):
    """Choose what is on the first page of one account, and return the words to type."""
    page.goto("/images/?account=290517736642&sort=-created")
    page.locator("[data-pick-all]").check()
    page.get_by_role("button", name="Discard", exact=True).click()
    return page.locator("label[for=d-c] bdi").inner_text()


def test_a_removal_is_paused_an_image_kept_by_somebody_else_and_the_rest_resumed(page, colleague):
    sign_in(page, "engineer")
    discard(page, mark(page), hold="7 days")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused J-")).to_be_visible()
    sign_in(colleague, "finops")

    colleague.goto(page.url)
    colleague.locator("#run tbody a.cell__main").first.click()
    colleague.get_by_role("button", name="Keep image").click()

    expect(state_of(colleague).first).to_contain_text("Kept")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed J-")).to_be_visible()
    expect(state_of(page).first).to_contain_text("Kept")
    expect(state_of(page).last).to_contain_text("Marked")


def test_an_image_is_discarded_without_script(browser, demo):
    context = browser.new_context(base_url=demo.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "engineer")
    page.goto("/images/?account=736120488204&sort=-created")
    for box in page.get_by_role("checkbox", name=re.compile("^Select ")).all():
        box.check()  # which are in use is not known: those are skipped
    page.get_by_role("button", name="Discard", exact=True).click()
    words = page.get_by_label(re.compile("^Type .* to confirm$"))
    needed = page.locator("label[for=d-c] bdi").inner_text()

    discard(page, needed, hold="7 days")

    expect(words).to_have_count(0)
    expect(state_of(page).first).to_contain_text("Marked")
    context.close()
