import pytest

from registry.forms.devices import as_initial
from tests.forms.wishes import devices

WHOLE = {
    "DeviceName": "/dev/sdf",
    "Ebs": {
        "SnapshotId": "snap-0123456789abcdef0",
        "VolumeSize": 16,
        "VolumeType": "io2",
        "Iops": 3000,
        "DeleteOnTermination": False,
    },
}


def mappings(*forms):
    found = devices(*forms)
    assert found.is_valid(), found.errors
    return found.mappings()


@pytest.mark.parametrize(
    ("form", "mapping"),
    [
        pytest.param(
            {"kind": "volume", "volume_size": "8", "delete_on_termination": "on"},
            {"Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "DeleteOnTermination": True}},
            id="volume",
        ),
        pytest.param(
            {"kind": "volume", "volume_size": "8", "encryption": "on"},
            {
                "Ebs": {
                    "VolumeSize": 8,
                    "VolumeType": "gp3",
                    "DeleteOnTermination": False,
                    "Encrypted": True,
                }
            },
            id="encrypted",
        ),
        pytest.param({"kind": "store"}, {"VirtualName": "ephemeral0"}, id="a store"),
        pytest.param(
            {"kind": "store", "virtual_name": "ephemeral3"},
            {"VirtualName": "ephemeral3"},
            id="a named store",
        ),
        pytest.param({"kind": "none"}, {"NoDevice": ""}, id="no device"),
    ],
)
def test_a_device_becomes_what_aws_calls_it(form, mapping):
    assert mappings({"device_name": "/dev/sdf", **form}) == [{"DeviceName": "/dev/sdf", **mapping}]


def test_a_form_that_was_left_empty_is_left_out():
    empty = {"kind": "volume", "volume_type": "gp3", "delete_on_termination": "on"}

    assert mappings(empty, {"device_name": "/dev/sdf", "kind": "none"}) == [
        {"DeviceName": "/dev/sdf", "NoDevice": ""}
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"snapshot_id": "snap-0123456789abcdef0"},
        {"volume_size": "8"},
        {"volume_size": "0"},
        {"iops": "3000"},
        {"throughput": "125"},
        {"encryption": "on"},
        {"virtual_name": "ephemeral0"},
    ],
    ids=str,
)
def test_a_device_without_its_name_is_not_lost_silently(said):
    found = devices(said)

    assert not found.is_valid()
    assert found.errors == [{"device_name": ["Name the device, or empty its other fields."]}]


@pytest.mark.parametrize("value", ["x", "1.5", "9" * 5_000, "\x00"], ids=repr)
def test_what_is_no_number_is_said_at_its_field(value):
    found = devices({"device_name": "/dev/sdf", "volume_size": value})

    assert found.errors == [{"volume_size": ["Enter a whole number."]}]


@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param(WHOLE, id="volume"),
        pytest.param({"DeviceName": "/dev/sdg", "VirtualName": "ephemeral1"}, id="store"),
        pytest.param({"DeviceName": "/dev/sdh", "NoDevice": ""}, id="none"),
    ],
)
def test_a_device_comes_back_as_it_was(mapping):
    typed = {
        name: value for name, value in as_initial(mapping).items() if value not in (None, False)
    }

    assert mappings(typed) == [mapping]
