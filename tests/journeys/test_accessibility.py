"""No page breaks the rules of WCAG 2.2 AA that a machine can check."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.making import RHEL, choose, describe, discard, new_name, send_all_the_same
from tests.journeys.test_portal import PATHS, sign_in

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIRST = {
    "image": ("/images/", "tbody a.cell__main"),
    "instance": ("/instances/", "tbody a.cell__main"),
    "rule": ("/rules/", "tbody a.cell__main"),
    "finding": ("/findings/", "tbody a.cell__main"),
    "bill": ("/bills/", "tbody a.cell__main"),
    "purchase": ("/reserved-instances/", "tbody a.cell__main"),
    "job": ("/jobs/", "tbody a.cell__main"),
    "account": ("/accounts/", ".matrix tbody a"),
}

SECONDS = 60
WIDTHS = (320, 390, 760, 1180, 1440)
NEW = (
    "/register/many/",
    "/policies/",
    "/me/",
    "/me/password/",
    "/patterns/new/",
    *(f"/register/?method={m}" for m in ("instance", "copy")),
)


def problems(page):
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{item['id']}: {node['html'][:120]}"
        for item in found.response["violations"]
        for node in item["nodes"][:3]
    ]


def by_light_and_dark(page):
    """Return what is wrong with the page in light and dark."""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = problems(page)
    return {scheme: problem for scheme, problem in found.items() if problem}


def open_first(page, path, link):
    """Open the first thing of a list, which the demo may read only after it is ready."""
    page.goto(path)
    for _ in range(SECONDS):
        if page.locator(link).count():
            break
        page.wait_for_timeout(1_000)
        page.reload()
    page.locator(link).first.click()


@pytest.mark.parametrize("path", PATHS)
def test_a_list_or_form(page, path):
    sign_in(page, "admin")

    page.goto(path)

    assert by_light_and_dark(page) == {}


@pytest.mark.parametrize("thing", FIRST)
def test_one_thing(page, thing):
    sign_in(page, "admin")

    open_first(page, *FIRST[thing])

    assert by_light_and_dark(page) == {}
    assert too_wide(page) == {}


def test_signing_in(page):
    page.goto("/login/")

    assert by_light_and_dark(page) == {}


@pytest.mark.parametrize("path", ["/", "/images/"])
def test_a_small_window(page, path):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "admin")

    page.goto(path)

    assert problems(page) == []


def everywhere(page):
    """Return what is wrong with the page in light and dark, on a desk and in a hand."""
    found = {}
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        found[width] = by_light_and_dark(page)
    return {width: problem for width, problem in found.items() if problem}


def too_wide(page):
    """Return the widths at which the page can be scrolled sideways, with how wide it is."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found[width] = page.evaluate("document.documentElement.scrollWidth")
    return {width: scrolled for width, scrolled in found.items() if scrolled > width}


def review(page):
    choose(page, "A snapshot", "golden-rhel9-surrogate", account="dev-sandbox")
    describe(page, new_name(100 * "W"))  # no place to break it


def mistakes(page):
    page.goto("/register/?method=copy")
    page.get_by_role("button", name="Review").click()


def wrong_file(page):
    page.goto("/register/many/")
    text = "account,region,snapshot_id,name,expected_usage_operation\n1,2,3,4,5\n"
    file = {"name": "many.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check all lines").click()


def batch(page):
    choose(page, "An image, for other regions", "rhel", account="core-prod", having=RHEL)
    copy_to = page.get_by_role("group", name="Copy to")
    copy_to.get_by_label("eu-central-1").check()
    copy_to.get_by_label("us-west-2").check()
    describe(page, new_name("copy"))
    page.get_by_role("button", name="Copy image").click()
    page.locator("#batch").wait_for()


def preview(page):
    page.goto("/images/?account=655301927748")
    page.locator("[data-pick-all]").check()
    page.get_by_role("button", name="Discard", exact=True).click()


def ledger(page):
    preview(page)
    discard(page, page.locator("label[for=d-c] bdi").inner_text(), hold="7 days")
    page.locator("#run").wait_for()


def way_back(page):
    page.goto("/images/?account=655301927748")
    picked = page.locator("input[name=pick]").first.get_attribute("value")
    page.goto(f"/images/bring-back/?pick={picked}")


def to_decide(page):
    page.context.clear_cookies()
    sign_in(page, "developer")
    review(page)
    send_all_the_same(page, "It is for a test.")
    page.get_by_role("heading", name=re.compile("^Waiting for the approval")).wait_for()
    held = page.url
    page.context.clear_cookies()
    sign_in(page, "finops")
    page.goto(held)
    page.get_by_role("button", name="Approve").wait_for()


STATES = (review, mistakes, wrong_file, batch, preview, ledger, way_back, to_decide)


@pytest.mark.parametrize("path", NEW)
def test_a_page_about_making_images(page, path):
    sign_in(page, "engineer")

    page.goto(path)

    assert everywhere(page) == {}
    assert too_wide(page) == {}


@pytest.mark.parametrize("reach", STATES, ids=[reach.__name__ for reach in STATES])
def test_what_a_form_leads_to(page, reach):
    sign_in(page, "engineer")

    reach(page)

    assert everywhere(page) == {}
    assert too_wide(page) == {}
