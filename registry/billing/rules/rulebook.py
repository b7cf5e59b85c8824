"""Every rule in words: the one place for what a rule is called, how bad it is, and why.

The pages of the rules are made from it. The entries of images are in two modules of their own.
"""

from registry.billing.rules.entries_codes import CODES
from registry.billing.rules.entries_images import IMAGES
from registry.billing.rules.entry import PURCHASES, WINDOWS_CONVERSION, Entry

_OTHERS = (
    Entry(
        "INS001",
        "Instance billed unlike its image",
        "high",
        "The billing code of an instance is not that of the AMI it was launched from.",
        "The usage operation of both, and the time when that of the instance was set last.",
        "Either its license was converted, which is fine if it was meant, or one of the two codes "
        "is wrong. What is launched from the AMI next is billed with the code of the AMI.",
        (
            "Where one of the codes was not recorded, is empty or can't be decoded. For Spot "
            "instances and terminated ones. Where Red Hat's sale through the Marketplace explains "
            "both codes."
        ),
        (
            "High where the code was not changed since launch. Medium where that is not known: AWS "
            "keeps only the time of the last start. Low for a license conversion. Use does not "
            "raise it: the finding is about one instance."
        ),
        (
            "Find out whether its license was converted, and whether that was meant.",
            "If it was, create an AMI from the instance with CreateImage and launch from that.",
            "If not, replace the instance, or the AMI, whichever has the wrong code.",
        ),
        WINDOWS_CONVERSION,
        rises_with_use=False,
    ),
    Entry(
        "RI001",
        "Reserved Instances idle: billing code differs",
        "high",
        "Reserved Instances pay for nothing while instances of their type run with another code.",
        "The active purchases, and the running instances with type, zone, tenancy and code.",
        "Reserved Instances are paid for every hour, used or not. They never pay for an instance "
        "of another platform.",
        (
            "Where the purchase is not active. Where the code, zone or state of an instance that "
            "may use it was never recorded."
        ),
        (
            "High where it is known of an AMI that it lost the code. Else medium: the purchase may "
            "be for the wrong platform. Use does not raise it: the idle cost is shown beside it."
        ),
        (
            (
                "Check the AMIs of the named instances. Create again what lost its code, and "
                "replace the instances."
            ),
            (
                "If the purchase is for the wrong platform, exchange it (convertible) or sell it "
                "(standard)."
            ),
        ),
        PURCHASES,
        rises_with_use=False,
    ),
    Entry(
        "RI002",
        "Reserved Instances idle",
        "medium",
        "Reserved Instances pay for nothing for another reason: size, zone, tenancy, sharing, or "
        "nothing like it runs.",
        "The active purchases, and the running and stopped instances of the accounts that share.",
        "Reserved Instances are paid for every hour, used or not.",
        (
            "Where the purchase is not active. Where the code, zone or state of an instance that "
            "may use it was never recorded."
        ),
        "Always medium. Use does not raise it: the idle cost is shown beside it.",
        (
            "Run what was bought: the size, the tenancy, the platform.",
            "Change the scope of a zonal purchase to the region. That is free.",
            "Exchange (convertible) or sell (standard) what is too much.",
        ),
        PURCHASES,
        rises_with_use=False,
    ),
)
RULEBOOK = {entry.id: entry for entry in (*CODES, *IMAGES, *_OTHERS)}
