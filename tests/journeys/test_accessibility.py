"""No page breaks the rules of WCAG 2.2 AA that a machine can check."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.test_portal import PATHS, sign_in

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIRST = {
    "image": ("/images/", "tbody a.cell__main"),
    "finding": ("/findings/", "tbody a.cell__main"),
    "purchase": ("/reserved-instances/", "tbody a.cell__main"),
    "job": ("/jobs/", "tbody a.cell__main"),
    "account": ("/accounts/", ".matrix tbody a"),
}


def problems(page):
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{item['id']}: {node['html'][:120]}"
        for item in found.response["violations"]
        for node in item["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_a_list_or_form(page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    sign_in(page, "admin")

    page.goto(path)

    assert problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("thing", FIRST)
def test_one_thing(page, thing, scheme):
    path, link = FIRST[thing]
    page.emulate_media(color_scheme=scheme)
    sign_in(page, "admin")
    page.goto(path)

    page.locator(link).first.click()

    assert problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in(page, scheme):
    page.emulate_media(color_scheme=scheme)

    page.goto("/login/")

    assert problems(page) == []


def test_a_small_window(page):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "admin")

    page.goto("/images/")

    assert problems(page) == []
