import uuid

import pytest
from django.http import QueryDict

from registry.forms.registration import FIELDS, OF_OTHERS, RegistrationForm
from registry.models import Account, Method, Registration
from tests.factories import make_account
from tests.forms.wishes import REGIONS, SOURCES, filled
from tests.jobs.steps import KEY

pytestmark = pytest.mark.django_db
METHODS = list(Method)


@pytest.fixture
def account():
    return make_account()


def only_wish(form, devices=()):
    assert form.is_valid(), form.errors
    (wish,) = form.wishes(devices)
    return wish


@pytest.mark.parametrize("method", METHODS)
def test_a_wish_names_fields_of_a_registration_and_nothing_of_other_methods(account, method):
    wish = only_wish(filled(account, method))

    assert (wish.key == KEY) == (method != Method.COPY)
    assert wish.account == account
    assert Registration(key=wish.key, account=account, **wish.fields).method == method
    assert not wish.fields.keys() & (OF_OTHERS[method] - {"source_region"})


@pytest.mark.parametrize("method", METHODS)
def test_what_is_left_as_the_source_has_it_is_left_out(account, method):
    as_source = dict.fromkeys(
        ("architecture", "virtualization_type", "boot_mode", "ena_support"), "source"
    )

    wish = only_wish(filled(account, method, **as_source))

    assert not wish.fields.keys() & as_source.keys()


@pytest.mark.parametrize(("said", "means"), [("on", True), ("off", False)])
def test_ena_is_on_or_off_where_it_is_chosen(account, said, means):
    assert only_wish(filled(account, "snapshot", ena_support=said)).fields["ena_support"] is means


@pytest.mark.parametrize(
    ("name", "value"),
    [("boot_mode", ""), ("tpm_support", ""), ("imds_support", ""), ("imds_support", "v2.0")],
)
def test_none_is_a_choice_of_its_own(account, name, value):
    assert only_wish(filled(account, "snapshot", **{name: value})).fields[name] == value


def test_a_root_device_that_is_not_named_is_left_to_the_source(account):
    wish = only_wish(filled(account, "snapshot", root_device_name="", volume_type=""))

    assert not {"root_device_name", "volume_type"} & wish.fields.keys()


def test_numbers_of_the_root_volume_are_numbers(account):
    wish = only_wish(filled(account, "snapshot", volume_size="16", iops="3000", throughput=""))

    chosen = {name: wish.fields[name] for name in ("volume_size", "iops", "throughput")}
    assert chosen == {"volume_size": 16, "iops": 3000, "throughput": None}


@pytest.mark.parametrize("method", METHODS)
def test_further_devices_are_asked_for_where_they_count(account, method):
    device = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8}}

    wish = only_wish(filled(account, method), [device])

    expected = [device] if method in {Method.SNAPSHOT, Method.MANIFEST} else None
    assert wish.fields.get("block_devices") == expected


def test_each_region_gets_a_copy_under_a_key_of_its_own(account):
    form = filled(account, "copy", destinations=["us-east-1", "eu-west-1", "us-east-1"])
    form.full_clean()

    wishes = form.wishes([])

    assert [(wish.fields["region"], wish.key) for wish in wishes] == [
        (region, uuid.uuid5(KEY, region)) for region in ("us-east-1", "eu-west-1")
    ]
    assert {wish.fields["source_region"] for wish in wishes} == {"eu-west-1"}


@pytest.mark.parametrize("method", METHODS)
def test_without_its_source_nothing_is_asked_for(account, method):
    source = next(iter(SOURCES[method]))

    form = filled(account, method, **{source: ""})

    assert list(form.errors) == [source]


def test_a_copy_needs_a_region(account):
    form = filled(account, "copy", destinations=[])

    assert form.errors == {"destinations": ["Choose at least one region."]}


@pytest.mark.parametrize("method", METHODS)
def test_what_belongs_to_another_method_can_not_be_wrong(account, method):
    nonsense = dict.fromkeys(OF_OTHERS[method] - {"destinations"}, "\x00")

    assert filled(account, method, **nonsense).is_valid()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"volume_size": "9" * 5_000}, "Enter a whole number.", id="huge"),
        pytest.param({"volume_size": "1e3"}, "Enter a whole number.", id="float"),
        pytest.param({"iops": "many"}, "Enter a whole number.", id="word"),
        pytest.param({"region": "moon-1"}, "no such region", id="region"),
        pytest.param({"reason": "x" * 2_001}, "at most 2000 characters", id="long reason"),
        pytest.param({"uefi_data": "x" * 70_001}, "at most 70000 characters", id="UEFI data"),
        pytest.param({"tags": "x" * 20_001}, "at most 20000 characters", id="tags"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(account, fields, says):
    form = filled(account, "snapshot", **fields)

    assert list(form.errors) == list(fields)
    (texts,) = form.errors.values()
    assert says in " ".join(map(str, texts))


def test_every_field_of_a_method_is_in_the_form_and_in_the_model():
    names = {name for fields in FIELDS.values() for name in fields}

    assert names <= RegistrationForm.base_fields.keys()
    assert names <= {field.name for field in Registration._meta.fields}


def test_a_browser_that_sends_nothing_gets_a_form_with_errors():
    form = RegistrationForm(QueryDict(), accounts=Account.objects.all(), regions=REGIONS)

    assert {"key", "account", "region", "name", "snapshot_id"} <= form.errors.keys()


def test_a_method_that_is_none_is_said_at_its_field(account):
    data = {**filled(account, "snapshot").data, "method": "theft"}

    form = RegistrationForm(data, accounts=Account.objects.all(), regions=REGIONS)

    assert list(form.errors) == ["method"]
