import pytest

from registry.billing.descriptions import COPIED_IMAGE, COPIED_SNAPSHOT, CREATED, IMPORTED

WORDS = (CREATED, COPIED_IMAGE, COPIED_SNAPSHOT, IMPORTED)


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        pytest.param(
            CREATED,
            "Created by CreateImage(i-0a1b2c3d4e5f67890) for ami-0f9e8d7c6b5a43210",
            ("i-0a1b2c3d4e5f67890", "ami-0f9e8d7c6b5a43210"),
            id="CreateImage",
        ),
        pytest.param(
            CREATED,
            "Created by CreateImage(i-1a2b3c4d) for ami-5e6f7a8b from vol-9c0d1e2f",
            ("i-1a2b3c4d", "ami-5e6f7a8b"),
            id="CreateImage of old",
        ),
        pytest.param(
            COPIED_IMAGE,
            "Copied for DestinationAmi ami-0aa from SourceAmi ami-0bb for SourceSnapshot snap-0cc. "
            "Task created on 1,650,000,000,000.",
            ("ami-0aa", "ami-0bb", "snap-0cc"),
            id="CopyImage",
        ),
        pytest.param(
            COPIED_SNAPSHOT,
            "[Copied snap-0a1b2c3d from us-east-1] nightly",
            ("snap-0a1b2c3d",),
            id="CopySnapshot",
        ),
        pytest.param(
            IMPORTED,
            "Created by AWS-VMImport service for import-ami-0a1b2c3d4e5f67890",
            ("import-ami-0a1b2c3d4e5f67890",),
            id="an imported image",
        ),
        pytest.param(
            IMPORTED,
            "Created by AWS-VMImport service for import-volume-0ab",
            None,
            id="another kind",
        ),
    ],
)
def test_what_aws_writes_is_read(pattern, text, groups):
    match = pattern.match(text)

    assert (match and match.groups()) == groups


@pytest.mark.parametrize("pattern", WORDS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule",
        "This snapshot is created by the AWS Backup service.",
        "Note: Created by CreateImage(i-0ab) for ami-0cd",
        "Created by CreateImage() for ami-0cd",
        "Created by CreateImage(i-0ab) for nothing",
        "Copied for DestinationAmi ami-0aa from SourceAmi",
        "Copied snap-0ab from us-east-1",
        "imported by AWS-VMImport service for import-ami-0ab",
        "before the upgrade",
    ],
)
def test_other_words_say_nothing(pattern, text):
    assert pattern.match(text) is None
