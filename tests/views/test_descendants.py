import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import LATER, make_account, make_image, make_instance, make_user

HOP = {"name": "", "detail": "", "usage_operation": None, "is_gone": False, "is_break": False}


def make_child(*ids, looked_for=(), **fields):
    """An image in whose lineage these ids are, and that also looked for others."""
    hops = [HOP | {"kind": "image", "aws_id": aws_id} for aws_id in ids]
    return make_image(lineage=hops, ancestors=[*ids, *looked_for], **fields)


def page(client, image):
    return client.get(image.get_absolute_url())


def shown(client, image):
    return [row.name for row in page(client, image).context["descendants"]["rows"]]


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_what_was_made_from_an_image_is_on_its_page(signed_in):
    bad = make_image(name="bad")
    child = make_child(bad.aws_id, name="child", verdict="lost")
    make_child(child.aws_id, bad.aws_id, name="grandchild")
    make_child(child.aws_id, looked_for=[bad.aws_id], name="another's")
    make_image(name="stranger")

    assert sorted(shown(signed_in, bad)) == ["child", "grandchild"]
    assert sorted(shown(signed_in, child)) == ["another's", "grandchild"]
    text = text_of(page(signed_in, bad))
    assert "2 images. 0 instances run on it and on these." in text
    assert "Code lost" in text


def test_of_which_nothing_was_made_no_table_is_shown(signed_in):
    assert "Made from it" not in page(signed_in, make_image()).content.decode()


def test_all_instances_count_also_those_on_what_is_gone(signed_in):
    bad = make_image()
    gone = make_child(bad.aws_id, gone_at=LATER)
    child = make_child(bad.aws_id)
    for image in (bad, gone, child):
        make_instance(image_id=image.aws_id)
    make_instance(image_id=child.aws_id, state="stopped")
    make_instance(image_id="ami-another")

    answer = page(signed_in, bad)

    assert "1 image and 1 that is gone. 3 instances run on it and on these." in text_of(answer)
    assert [row.pk for row in answer.context["descendants"]["rows"]] == [child.pk]


def test_what_is_most_in_use_comes_first(signed_in):
    bad = make_image()
    make_child(bad.aws_id, name="idle")
    used = make_child(bad.aws_id, name="used")
    make_instance(image_id=used.aws_id)

    assert shown(signed_in, bad) == ["used", "idle"]


def test_only_what_the_person_may_read_is_shown_and_counted(client, db):
    bad, other = make_image(), make_account()
    make_child(bad.aws_id, name="readable", account=bad.account)
    hidden = make_child(bad.aws_id, name="hidden", account=other)
    make_instance(image_id=hidden.aws_id, account=other)
    client.force_login(make_user(Role.VIEWER, account=bad.account))

    answer = page(client, bad)

    assert "1 image. 0 instances run on it and on these." in text_of(answer)
    assert "hidden" not in [row.name for row in answer.context["descendants"]["rows"]]


def test_fifty_are_shown_and_all_are_a_link_away(signed_in, django_assert_max_num_queries):
    bad = make_image()
    make_child(bad.aws_id)
    page(signed_in, bad)
    with django_assert_max_num_queries(60) as few:
        page(signed_in, bad)
    account = make_account()
    for _ in range(55):
        make_child(bad.aws_id, account=account)

    with django_assert_max_num_queries(len(few)):
        answer = page(signed_in, bad)

    assert len(answer.context["descendants"]["rows"]) == 50
    link = f"{reverse('images:list')}?ancestor={bad.aws_id}"
    assert f'<a href="{link}">All 56</a>' in answer.content.decode()
    assert signed_in.get(link).context["page_obj"].paginator.count == 56


@pytest.mark.parametrize("ancestor", ["ami-none", "' or 1=1"])
def test_an_ancestor_of_nothing_leaves_nothing(signed_in, ancestor):
    make_child("ami-1")

    answer = signed_in.get(f"{reverse('images:list')}?ancestor={ancestor}")

    assert list(answer.context["rows"]) == []
