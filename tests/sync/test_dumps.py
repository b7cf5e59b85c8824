import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.audit.fleet import Fleet
from registry.billing.coverage import price
from registry.billing.price import hourly
from registry.models import (
    Account,
    Image,
    Instance,
    ReservedInstance,
    Scope,
    Snapshot,
    Volume,
)
from registry.sync import Changes, DumpInvalid, import_dump
from tests.data.hostile import JSON, mangled
from tests.data.items import (
    image_item,
    instance_item,
    modification_item,
    reserved_item,
    snapshot_item,
    volume_item,
)
from tests.factories import LATER, NOON, make_account, make_scope
from tests.sync.versions import versions

pytestmark = pytest.mark.django_db
NUMBER, REGION = "123456789012", "us-east-1"
KINDS = [
    pytest.param("images.json", "Images", Image, image_item, id="images"),
    pytest.param("snapshots.json", "Snapshots", Snapshot, snapshot_item, id="snapshots"),
    pytest.param("volumes.json", "Volumes", Volume, volume_item, id="volumes"),
    pytest.param(
        "reserved-instances.json",
        "ReservedInstances",
        ReservedInstance,
        reserved_item,
        id="purchases",
    ),
]


def write(folder: Path, file: str, content):
    """Write a file as the AWS command line does, or the text or bytes as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        text = content if isinstance(content, str) else json.dumps(content, indent=4)
        content = text.encode()
    (folder / file).write_bytes(content)


def take_in(folder, *, at=NOON):
    return import_dump(folder, account=NUMBER, region=REGION, at=at)


def reservation(*instances):
    return {"ReservationId": "r-1", "OwnerId": NUMBER, "Groups": [], "Instances": list(instances)}


@pytest.mark.parametrize(("file", "key", "model", "item"), KINDS)
@pytest.mark.parametrize("is_bare", [False, True], ids=["object", "bare list"])
def test_what_the_command_line_prints_is_mirrored(tmp_path, file, key, model, item, is_bare):
    items = [item(1), item(2)]
    write(tmp_path, file, items if is_bare else {key: items})

    imported = take_in(tmp_path)

    row = model.objects.first()
    assert imported.changes == {f"{NUMBER}/{REGION}/{file}": Changes(2, 2, 0, 0)}
    assert (row.account.number, row.region) == (NUMBER, REGION)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            {"Reservations": [reservation(instance_item(1), instance_item(2)), reservation()]},
            id="reservations",
        ),
        pytest.param([reservation(instance_item(1), instance_item(2))], id="bare reservations"),
        pytest.param([instance_item(1), instance_item(2)], id="Reservations[].Instances[]"),
        pytest.param([[instance_item(1)], [instance_item(2)]], id="Reservations[].Instances"),
    ],
)
def test_instances_are_mirrored_from_every_form(tmp_path, content):
    write(tmp_path, "instances.json", content)

    take_in(tmp_path)

    assert Instance.objects.count() == 2


def test_what_is_told_of_the_image_of_an_instance_outlives_a_recording(tmp_path):
    write(tmp_path, "instances.json", [instance_item(1)])
    take_in(tmp_path)
    Instance.objects.update(image_name="RHEL-9.4", image_owner_id="309956199498")
    write(tmp_path, "instances.json", [instance_item(1, Tags=[])])

    take_in(tmp_path, at=LATER)

    assert Instance.objects.get().image_name == "RHEL-9.4"
    assert Instance.objects.get().image_owner_id == "309956199498"


def test_every_kind_may_be_there(tmp_path):
    write(tmp_path, "images.json", {"Images": [image_item()]})
    write(tmp_path, "snapshots.json", {"Snapshots": [snapshot_item()]})
    write(tmp_path, "volumes.json", {"Volumes": [volume_item()]})
    write(tmp_path, "instances.json", {"Reservations": [reservation(instance_item())]})
    write(tmp_path, "reserved-instances.json", {"ReservedInstances": [reserved_item()]})

    imported = take_in(tmp_path)

    assert len(imported.changes) == 5
    assert Scope.objects.get().synced_at == NOON


def test_an_account_that_is_not_known_is_made_and_never_asked(tmp_path):
    write(tmp_path, "images.json", [])

    take_in(tmp_path)

    account = Account.objects.get()
    assert (account.number, account.is_synced) == (NUMBER, False)
    assert Scope.objects.get().region == REGION


def test_an_account_that_is_known_stays_as_it_is(tmp_path):
    account = make_account(number=NUMBER, name="prod")
    make_scope(account=account, region=REGION)
    write(tmp_path, "images.json", [image_item()])

    take_in(tmp_path)

    assert Account.objects.values_list("name", "is_synced").get() == ("prod", True)
    assert Image.objects.get().account == account


def test_importing_twice_is_importing_once(tmp_path):
    write(tmp_path, "images.json", [image_item(1), image_item(2)])
    take_in(tmp_path)
    before = versions(Image)

    imported = take_in(tmp_path, at=LATER)

    assert list(imported.changes.values()) == [Changes(2, 0, 0, 0)]
    assert versions(Image) == before


def test_what_a_later_recording_lacks_is_gone(tmp_path):
    write(tmp_path, "images.json", [image_item(1), image_item(2)])
    take_in(tmp_path)
    write(tmp_path, "images.json", [image_item(2)])

    take_in(tmp_path, at=LATER)

    assert Image.objects.gone().get().aws_id == image_item(1)["ImageId"]


def test_a_kind_without_a_file_is_left_alone(tmp_path):
    write(tmp_path, "images.json", [image_item()])
    write(tmp_path, "volumes.json", [volume_item()])
    take_in(tmp_path)
    (tmp_path / "volumes.json").unlink()

    take_in(tmp_path, at=LATER)

    assert Volume.objects.present().count() == 1


def test_of_a_thing_that_is_recorded_twice_the_last_counts(tmp_path):
    write(tmp_path, "images.json", [image_item(Name="old"), image_item(Name="new")])

    take_in(tmp_path)

    assert Image.objects.get().name == "new"


def test_a_code_that_was_not_recorded_is_not_an_empty_one(tmp_path):
    old = image_item(1)
    del old["PlatformDetails"], old["UsageOperation"]
    write(tmp_path, "images.json", [old, image_item(2, PlatformDetails="", UsageOperation="")])

    take_in(tmp_path)

    codes = Image.objects.order_by("pk").values_list("platform_details", "usage_operation")
    assert list(codes) == [(None, None), ("", "")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16"], ids=["UTF-8", "byte order mark", "PowerShell"]
)
def test_a_file_is_read_in_the_encoding_of_its_system(tmp_path, encoding):
    content = json.dumps([image_item(Name="größe-😀")], ensure_ascii=False)
    write(tmp_path, "images.json", content.encode(encoding))

    take_in(tmp_path)

    assert Image.objects.get().name == "größe-😀"


def test_text_that_cannot_be_stored_is_marked(tmp_path):
    write(tmp_path, "images.json", [image_item(Name="a\x00b\ud800c")])

    take_in(tmp_path)

    assert Image.objects.get().name == "a\ufffdb\ufffdc"


def test_account_and_region_are_the_names_of_folders(tmp_path):
    write(tmp_path / "111111111111" / "us-east-1", "images.json", [image_item(1)])
    write(tmp_path / "111111111111" / "eu-west-1", "images.json", [image_item(2)])
    write(tmp_path / "222222222222" / "us-gov-west-1", "images.json", [image_item(3)])

    imported = import_dump(tmp_path, at=NOON)

    places = Image.objects.order_by("aws_id").values_list("account__number", "region")
    assert list(places) == [
        ("111111111111", "us-east-1"),
        ("111111111111", "eu-west-1"),
        ("222222222222", "us-gov-west-1"),
    ]
    assert len(imported.changes) == 3


def test_one_malformed_file_keeps_all_others_out(tmp_path):
    write(tmp_path / "111111111111" / "us-east-1", "images.json", [image_item(1)])
    write(tmp_path / "222222222222" / "us-east-1", "images.json", "{")

    with pytest.raises(DumpInvalid):
        import_dump(tmp_path, at=NOON)

    assert not Image.objects.exists()
    assert not Account.objects.exists()


def test_a_malformed_file_marks_nothing_gone(tmp_path):
    write(tmp_path, "images.json", [image_item()])
    write(tmp_path, "snapshots.json", [snapshot_item()])
    take_in(tmp_path)
    write(tmp_path, "snapshots.json", [])
    write(tmp_path, "images.json", [{"Name": "nameless"}])

    with pytest.raises(DumpInvalid):
        take_in(tmp_path, at=LATER)

    assert Snapshot.objects.present().count() == 1
    assert Scope.objects.get().synced_at == NOON


@pytest.mark.parametrize(
    ("file", "content", "place"),
    [
        pytest.param("images.json", "", "it is empty", id="empty"),
        pytest.param("images.json", " \n", "it is empty", id="white space"),
        pytest.param("images.json", "{\n  'a'", "line 2 column 3", id="not JSON"),
        pytest.param("images.json", '{"Images": [{"ImageId": "ami-', "line 1 column 25", id="cut"),
        pytest.param("images.json", '{"Images": []} x', "line 1 column 16", id="more after it"),
        pytest.param("images.json", b'{"Images": "\xff"}', "byte 12", id="not UTF-8"),
        pytest.param("images.json", "null", "no list Images", id="null"),
        pytest.param("images.json", "7", "no list Images", id="a number"),
        pytest.param("images.json", {}, "no list Images", id="no key"),
        pytest.param("images.json", {"Snapshots": []}, "no list Images", id="another kind"),
        pytest.param("images.json", {"Images": {}}, "no list Images", id="no list"),
        pytest.param("images.json", ["a"], "Images[0] is not an object", id="no object"),
        pytest.param("images.json", [snapshot_item()], "Images[0]: ImageId", id="another thing"),
        pytest.param("images.json", [image_item(), {}], "Images[1]: ImageId", id="no id"),
        pytest.param("images.json", [image_item(Name=[])], "Images[0]: Name", id="a list as name"),
        pytest.param(
            "images.json", [image_item(CreationDate="once")], "Images[0]: CreationDate", id="time"
        ),
        pytest.param(
            "images.json", [image_item(Tags=[["a"]])], "Images[0]: Tags", id="wrong at depth"
        ),
        pytest.param(
            "images.json", f'{{"Images": {"[" * 100_000}', "no answer of AWS", id="without end"
        ),
        pytest.param(
            "images.json", f'[{{"a": {"9" * 5_000}}}]', "no answer of AWS", id="a number of digits"
        ),
        pytest.param(
            "snapshots.json",
            [snapshot_item(VolumeSize=10**12)],
            "Snapshots[0]: VolumeSize",
            id="too large for its column",
        ),
        pytest.param(
            "reserved-instances.json",
            '[{"ReservedInstancesId": "a", "FixedPrice": NaN}]',
            "ReservedInstances[0]: FixedPrice",
            id="not a number",
        ),
        pytest.param(
            "images.json",
            '[{"ImageId": "ami-1", "BlockDeviceMappings": [{"Ebs": {"Iops": 1e999}}]}]',
            "Images[0]: inf",
            id="infinite at depth",
        ),
        pytest.param("instances.json", [{}], "Reservations[0].Instances", id="no instances"),
        pytest.param(
            "instances.json",
            [reservation(), reservation(instance_item(), "i-2")],
            "Reservations[1].Instances[1] is not an object",
            id="an instance that is none",
        ),
        pytest.param(
            "instances.json",
            {"Reservations": [reservation(instance_item(State="running"))]},
            "Reservations[0].Instances[0]: State",
            id="a state as text",
        ),
        pytest.param("instances.json", [[{}]], "Reservations[0][0]: InstanceId", id="in a list"),
    ],
)
def test_a_malformed_file_is_named_with_the_place(tmp_path, file, content, place):
    write(tmp_path, file, content)

    with pytest.raises(DumpInvalid) as raised:
        take_in(tmp_path)

    message = str(raised.value)
    assert message.startswith(f"{tmp_path / file}: ")
    assert place in message
    assert len(message) < 600
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "content", [{"Images": [], "NextToken": "abc"}, {"Images": [image_item()], "NextToken": "x"}]
)
def test_a_part_of_an_answer_is_refused(tmp_path, content):
    write(tmp_path, "images.json", content)

    with pytest.raises(DumpInvalid, match="NextToken"):
        take_in(tmp_path)


@pytest.mark.parametrize("token", [None, ""])
def test_an_answer_whose_token_is_empty_is_whole(tmp_path, token):
    write(tmp_path, "images.json", {"Images": [image_item()], "NextToken": token})

    take_in(tmp_path)

    assert Image.objects.count() == 1


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    (tmp_path / "images.json").mkdir()

    with pytest.raises(DumpInvalid, match=r"images\.json can't be read"):
        take_in(tmp_path)


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    (tmp_path / "images.json").symlink_to(tmp_path / "nowhere")

    with pytest.raises(DumpInvalid, match=r"images\.json can't be read"):
        take_in(tmp_path)


def test_a_link_to_a_recording_is_followed(tmp_path):
    write(tmp_path / "real", "images.json", [image_item()])
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "images.json").symlink_to(tmp_path / "real" / "images.json")

    take_in(tmp_path / "dump")

    assert Image.objects.count() == 1


@pytest.mark.parametrize("name", ["image.json", "Images.json", "reserved_instances.json"])
def test_a_file_with_a_slip_in_its_name_is_mentioned(tmp_path, name):
    write(tmp_path, "volumes.json", [])
    write(tmp_path, name, [])
    write(tmp_path, ".hidden", "")

    imported = take_in(tmp_path)

    assert imported.ignored == (tmp_path / name,)


def test_what_lies_beside_the_folders_is_mentioned(tmp_path):
    write(tmp_path / "111111111111" / "us-east-1", "images.json", [])
    write(tmp_path / "111111111111" / "us-east-1", "image.json", [])
    write(tmp_path / "111111111111", "images.json", [])
    write(tmp_path / "notes", "about.txt", "")
    write(tmp_path, "README", "")

    imported = import_dump(tmp_path, at=NOON)

    assert {str(path.relative_to(tmp_path)) for path in imported.ignored} == {
        "111111111111/us-east-1/image.json",
        "111111111111/images.json",
        "notes",
        "README",
    }


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("12345/us-east-1", "twelve digits"),
        ("prod/us-east-1", "twelve digits"),
        ("123456789012\n/us-east-1", "twelve digits"),
        ("123456789012/Virginia", "us-east-1"),
        ("123456789012/us-east-1\n", "us-east-1"),
    ],
)
def test_a_recording_in_a_folder_with_another_name_is_refused(tmp_path, place, rule):
    write(tmp_path / "999999999999" / "us-east-1", "images.json", [image_item()])
    write(tmp_path / place, "images.json", [image_item()])

    with pytest.raises(DumpInvalid, match=rule):
        import_dump(tmp_path, at=NOON)

    assert not Image.objects.exists()


def test_a_folder_without_a_recording_is_told(tmp_path):
    write(tmp_path, "image.json", [])

    with pytest.raises(DumpInvalid, match=r"has none of .*images\.json"):
        take_in(tmp_path)

    assert not Account.objects.exists()


def test_files_that_are_nobodys_are_told(tmp_path):
    write(tmp_path, "images.json", [])

    with pytest.raises(DumpInvalid, match="--account and --region"):
        import_dump(tmp_path, at=NOON)


@pytest.mark.parametrize(("file", "key", "model", "item"), KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(data=st.data())
def test_a_mangled_recording_is_taken_in_or_refused(tmp_path, file, key, model, item, data):
    content = data.draw(JSON | mangled({key: [item(1), item(2)]}))
    write(tmp_path, file, content)

    try:
        take_in(tmp_path)
    except DumpInvalid as error:
        assert str(tmp_path / file) in str(error)  # noqa: PT017  # nothing else may be raised


ORIGIN = reserved_item(1, State="retired", End="2026-03-01T10:00:00+00:00")
MADE = reserved_item(2, FixedPrice=0.0, Start="2026-03-01T10:00:01+00:00")
MODIFICATIONS = "reserved-instances-modifications.json"


def cost_of(item):
    row = ReservedInstance.objects.get(aws_id=item["ReservedInstancesId"])
    (found,) = (
        each for each in Fleet.load(at=NOON).situation.purchases if each.aws_id == row.aws_id
    )
    return price(found)


def test_a_recorded_modification_tells_what_was_paid_for_a_purchase(tmp_path):
    write(tmp_path, "reserved-instances.json", [ORIGIN, MADE])
    take_in(tmp_path)
    assert cost_of(MADE) is None
    write(
        tmp_path,
        MODIFICATIONS,
        {"ReservedInstancesModifications": [modification_item(MADE, ORIGIN)]},
    )

    imported = take_in(tmp_path)

    assert imported.changes[f"{NUMBER}/{REGION}/{MODIFICATIONS}"] == Changes(1, 0, 1, 0)
    assert hourly(cost_of(MADE)) == Decimal("0.08095434")  # 350 / 8,760 hours + 0.041


def test_a_modification_that_is_not_done_yet_tells_nothing(tmp_path):
    waiting = modification_item(MADE, ORIGIN) | {
        "ModificationResults": [{"TargetConfiguration": {"InstanceCount": 2}}],
        "Status": "processing",
    }
    write(tmp_path, "reserved-instances.json", [ORIGIN, MADE])
    write(tmp_path, MODIFICATIONS, [waiting])

    take_in(tmp_path)

    assert cost_of(MADE) is None


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(
            [{"ReservedInstancesIds": [{}]}], "ReservedInstancesId is missing", id="no id"
        ),
        pytest.param({"Modifications": []}, "no list ReservedInstancesModifications", id="key"),
    ],
)
def test_a_malformed_modification_is_told(tmp_path, content, place):
    write(tmp_path, MODIFICATIONS, content)

    with pytest.raises(DumpInvalid, match=place):
        take_in(tmp_path)


@pytest.mark.parametrize("count", [1, 300])
def test_the_number_of_queries_does_not_grow(tmp_path, count, django_assert_max_num_queries):
    write(tmp_path, "images.json", [image_item(number) for number in range(count)])

    with django_assert_max_num_queries(22):
        take_in(tmp_path)
