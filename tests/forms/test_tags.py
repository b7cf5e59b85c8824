import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from registry.forms.tags import parsed_tags, written_tags

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip)
keys = words.filter(lambda word: word and "=" not in word)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        (" , ,", {}),
        ("team=erp, env = prod", {"team": "erp", "env": "prod"}),
        ("empty=", {"empty": ""}),
        ("url=a=b", {"url": "a=b"}),
        ('"note=a, b", env=prod', {"note": "a, b", "env": "prod"}),
        ('"note=say ""yes"", now"', {"note": 'say "yes", now'}),
        ('disk=12"', {"disk": '12"'}),
        ("mood=🙂, \u202ename=x", {"mood": "🙂", "\u202ename": "x"}),
        ("team=erp\nenv=prod", {"team": "erp", "env": "prod"}),
    ],
)
def test_pairs_are_read(text, tags):
    assert parsed_tags(text) == tags


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("team", "Write 'team' as key=value."),
        ("=erp", "Write '=erp' as key=value."),
        ("note=a, b", "Write 'b' as key=value."),
        ("team=a, team=b", "The key 'team' is there twice. Leave one out."),
        ('"note=a, b', "in quotes"),
    ],
)
def test_what_is_no_pair_is_named(text, says):
    with pytest.raises(ValidationError, match=says):
        parsed_tags(text)


@example({'"team': 'erp"', "note": "a, b"})
@given(st.dictionaries(keys, words))
def test_what_was_written_is_read_the_same(tags):
    assert parsed_tags(written_tags(tags.items())) == tags
