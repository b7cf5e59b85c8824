"""What people do over and over when they make and discard images in a browser."""

import re
import uuid

from playwright.sync_api import Page, expect

RHEL = "RunInstances:0010"
REGION = "us-east-1"
OVER_MILLISECONDS = 60_000


def new_name(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


def choose(page: Page, method: str, words: str, *, account: str = "", having: str = "") -> str:
    """Open the form for a way of making an image, take a source and return its AWS id."""
    page.goto("/register/")
    page.get_by_role("radio", name=re.compile(f"^{method}")).check()
    if account:
        number = option_of(page, account)
        page.get_by_label("Account", exact=True).select_option(number)
    page.get_by_label("Region", exact=True).select_option(REGION)
    page.get_by_role("searchbox", name="Find", exact=True).fill(words)
    page.get_by_role("button", name="Show", exact=True).click()
    row = page.locator(".picker tbody tr").filter(has_text=having or words).first
    row.get_by_role("radio").check()
    return row.get_by_role("radio").get_attribute("value") or ""


def option_of(page: Page, account: str) -> str:
    """Return the number of an account."""
    option = page.get_by_label("Account", exact=True).locator("option", has_text=account)
    return option.get_attribute("value") or ""


def describe(page: Page, name: str, *, code: str = RHEL) -> None:
    page.get_by_label("Which platform must AWS bill?").select_option(code)
    page.get_by_label("Image name").fill(name)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name=f"Review {name}")).to_be_visible()


def send_all_the_same(page: Page, reason: str) -> None:
    page.get_by_label("Why this way?").fill(reason)
    page.get_by_role("button", name="Register all the same").click()


def make(page: Page, *, account: str) -> str:
    """Make a Red Hat image of an instance, wait until it is verified, and return its name."""
    name = new_name("made")
    choose(page, "An instance", "image-builder", account=account, having=RHEL)
    describe(page, name)
    page.get_by_role("button", name="Create image").click()
    comes(page, "Verified")
    return name


def comes(page: Page, heading: str | re.Pattern[str]) -> None:
    """Return when the page says it, by itself."""
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=OVER_MILLISECONDS)


def discard(page: Page, words: str, *, hold: str = "None", cooling: str = "None") -> None:
    """Fill in the page that discards, look at the preview again, and confirm it."""
    page.get_by_label("Reason").fill("Nobody needs it.")
    page.get_by_label("Hold before anything happens").select_option(label=hold)
    page.get_by_label("Cooling time").select_option(label=cooling)
    page.get_by_role("button", name="Update the preview").click()
    expect(page.get_by_label("Reason")).to_have_value("Nobody needs it.")
    page.get_by_label(re.compile("^Type .* to confirm$")).fill(words)
    page.get_by_role("button", name=re.compile(r"^Discard [\d,]+ images?$")).click()


def bring_back(page: Page) -> None:
    """Bring back the one image of a removal that is over."""
    page.get_by_role("button", name="Bring back").click(timeout=OVER_MILLISECONDS)
    page.get_by_label("Reason").fill("Somebody needs it.")
    page.get_by_role("button", name="Bring 1 image back").click()
