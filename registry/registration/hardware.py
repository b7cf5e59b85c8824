"""Boot and hardware of a new image: what goes together and what does not."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from registry.models import Registration

ARCHITECTURES = ("x86_64", "arm64", "i386", "x86_64_mac", "arm64_mac")
VIRTUALIZATIONS = ("hvm", "paravirtual")
BOOT_MODES = ("", "uefi-preferred", "uefi", "legacy-bios")
SUPPORTS = ("", "v2.0")  # of NitroTPM, and of IMDSv2
SRIOV = ("", "simple")
LONGEST_UEFI_DATA = 64_000
_KERNEL, _RAMDISK = re.compile(r"aki-[0-9a-f]{8,17}"), re.compile(r"ari-[0-9a-f]{8,17}")
_ARM = frozenset({"arm64", "arm64_mac"})


def hardware_problems(registration: Registration) -> Iterator[tuple[str, str]]:
    """Yield field and what to do, for each that AWS would refuse or that could never start."""
    for field, allowed in (
        ("architecture", ARCHITECTURES),
        ("virtualization_type", VIRTUALIZATIONS),
        ("boot_mode", BOOT_MODES),
        ("imds_support", SUPPORTS),
        ("tpm_support", SUPPORTS),
        ("sriov_net_support", SRIOV),
    ):
        if getattr(registration, field) not in allowed:
            yield field, f"Choose {_or(allowed)}."
    if registration.architecture in _ARM and registration.boot_mode == "legacy-bios":
        yield "boot_mode", "Instances with arm64 boot with UEFI only. Choose uefi or none."
    if registration.tpm_support and registration.boot_mode != "uefi":
        yield "tpm_support", "NitroTPM needs the boot mode uefi; uefi-preferred is not enough."
    yield from _uefi_problems(registration.uefi_data)
    if registration.virtualization_type == "paravirtual":
        yield from _paravirtual_problems(registration)
    elif registration.kernel_id or registration.ramdisk_id:
        field = "kernel_id" if registration.kernel_id else "ramdisk_id"
        yield field, "Leave it empty: only paravirtual images have a kernel and a RAM disk."


def _uefi_problems(data: str) -> Iterator[tuple[str, str]]:
    if len(data) > LONGEST_UEFI_DATA:
        yield "uefi_data", "Use at most 64,000 characters."
        return
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        yield "uefi_data", "Paste it as GetInstanceUefiData gives it, in base64."


def _paravirtual_problems(registration: Registration) -> Iterator[tuple[str, str]]:
    if registration.architecture not in {"x86_64", "i386"}:
        yield "virtualization_type", "Choose hvm: only x86 images can be paravirtual."
    if registration.ena_support:
        yield "ena_support", "Switch it off: ENA makes paravirtual instances unreachable."
    if registration.sriov_net_support:
        yield "sriov_net_support", "Leave it empty: it needs hvm."
    if registration.boot_mode in {"uefi", "uefi-preferred"}:
        yield "boot_mode", "Choose legacy-bios or none: paravirtual images don't boot with UEFI."
    if registration.kernel_id and not _KERNEL.fullmatch(registration.kernel_id):
        yield "kernel_id", "Write the ID of a kernel: aki- and hexadecimal digits."
    if registration.ramdisk_id and not _RAMDISK.fullmatch(registration.ramdisk_id):
        yield "ramdisk_id", "Write the ID of a RAM disk: ari- and hexadecimal digits."


def _or(allowed: Sequence[str]) -> str:
    return " or ".join(value or "none" for value in allowed)
