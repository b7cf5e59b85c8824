import base64

import pytest

from registry.registration.hardware import LONGEST_UEFI_DATA, hardware_problems
from tests.registration.wanted import wanted

PARAVIRTUAL = {"virtualization_type": "paravirtual", "ena_support": False}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="as the form has it"),
        pytest.param({"boot_mode": "uefi", "tpm_support": "v2.0"}, id="TPM with UEFI"),
        pytest.param({"imds_support": "v2.0"}, id="IMDSv2"),
        pytest.param({"sriov_net_support": "simple"}, id="SR-IOV"),
        pytest.param({"ena_support": False}, id="without ENA"),
        pytest.param({"architecture": "arm64", "boot_mode": "uefi-preferred"}, id="arm64"),
        pytest.param({"uefi_data": base64.b64encode(b"variables").decode()}, id="UEFI data"),
        pytest.param({"uefi_data": "A" * LONGEST_UEFI_DATA}, id="most UEFI data"),
        pytest.param(PARAVIRTUAL, id="paravirtual"),
        pytest.param(
            {**PARAVIRTUAL, "kernel_id": "aki-12345678", "ramdisk_id": "ari-12345678"},
            id="paravirtual with a kernel",
        ),
        pytest.param({**PARAVIRTUAL, "architecture": "i386"}, id="paravirtual i386"),
    ],
)
def test_what_goes_together_is_not_refused(fields):
    assert list(hardware_problems(wanted(**fields))) == []


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        pytest.param(
            {"boot_mode": "uefi-preferred", "tpm_support": "v2.0"},
            "tpm_support",
            "uefi-preferred is not enough",
            id="TPM that only prefers UEFI",
        ),
        pytest.param(
            {"boot_mode": "uefi", "tpm_support": "v1.2"},
            "tpm_support",
            "Choose none or v2.0",
            id="old TPM",
        ),
        pytest.param(
            {"virtualization_type": "xen"}, "virtualization_type", "Choose hvm or", id="xen"
        ),
        pytest.param(
            {"sriov_net_support": "double"}, "sriov_net_support", "none or simple", id="SR-IOV"
        ),
        pytest.param(
            {"architecture": "arm64_mac", "boot_mode": "legacy-bios"},
            "boot_mode",
            "boot with UEFI only",
            id="Mac with BIOS",
        ),
        pytest.param({"uefi_data": "not base64!"}, "uefi_data", "in base64", id="no base64"),
        pytest.param({"uefi_data": "ü"}, "uefi_data", "in base64", id="umlaut"),
        pytest.param(
            {"uefi_data": "A" * (LONGEST_UEFI_DATA + 4)}, "uefi_data", "64,000", id="too much data"
        ),
        pytest.param({"kernel_id": "aki-12345678"}, "kernel_id", "Leave it empty", id="kernel"),
        pytest.param({"ramdisk_id": "ari-12345678"}, "ramdisk_id", "Leave it empty", id="RAM disk"),
        pytest.param(
            {**PARAVIRTUAL, "kernel_id": "vmlinuz"}, "kernel_id", "aki-", id="kernel by its name"
        ),
        pytest.param(
            {**PARAVIRTUAL, "ramdisk_id": "aki-12345678"}, "ramdisk_id", "ari-", id="kernel as disk"
        ),
        pytest.param(
            {**PARAVIRTUAL, "ena_support": True}, "ena_support", "unreachable", id="PV with ENA"
        ),
        pytest.param(
            {**PARAVIRTUAL, "sriov_net_support": "simple"},
            "sriov_net_support",
            "needs hvm",
            id="PV with SR-IOV",
        ),
        pytest.param(
            {**PARAVIRTUAL, "boot_mode": "uefi"}, "boot_mode", "don't boot with UEFI", id="PV, UEFI"
        ),
        pytest.param(
            {**PARAVIRTUAL, "architecture": "arm64"},
            "virtualization_type",
            "only x86 images",
            id="PV arm64",
        ),
    ],
)
def test_what_can_not_go_together_is_said_at_its_field(fields, field, says):
    [(at, text)] = hardware_problems(wanted(**fields))

    assert at == field
    assert says in text
