"""The rulebook on the code of an image, beside what is expected."""

from registry.billing.rules.entry import (
    BILLING_FIELDS,
    LINUX_CONVERSION,
    REGISTER_IMAGE,
    WINDOWS_CONVERSION,
    Entry,
)

_BOTH = (
    "The usage operation that AWS shows, and the expected one: declared, of the source instance, "
    "of an ancestor, of the vendor, or from tags, name, description and Platform."
)
_UNKNOWN = (
    "Where nothing tells what is expected, where the code was never recorded or can't be decoded, "
    "and where a license of unknown meaning is among what differs."
)
_EXCUSED = f"{_UNKNOWN} Where a product code of the Marketplace explains a plain code."
_AGAIN = (
    (
        "Create the AMI again with CreateImage from an instance with the right code: the finding "
        "names it where one is known."
    ),
    "Replace the instances that were launched from the AMI. An instance keeps its code.",
    "Discard the AMI. The billing code of an AMI can't be edited.",
)
_DECIDE = (
    "Find out which of the two is right: the code, or what the AMI is expected to be.",
    "Declare what it must be, or create it again from an instance with the right code.",
)
_USED = (
    "One level up where instances run, one where Reserved Instances stay idle because of it, and "
    "one where instances run and the AMI was created more than 90 days ago."
)
_WEAK = "One level down where only a text that anybody may write speaks for the expected code."

CODES = (
    Entry(
        "AMI001",
        "Billing code lost",
        "high",
        "A license is expected, and the image carries none: it is billed as plain Linux, or the "
        "platform details are empty.",
        _BOTH,
        "AWS takes the code of a registered AMI from hidden data of its snapshot. Without them the "
        "AMI becomes plain Linux, and no error says so. RHEL and SUSE then reach no update "
        "repositories, Reserved Instances for the platform do not apply, and the terms of the "
        "license are breached.",
        _EXCUSED,
        f"Medium where only a license of your own is missing. {_WEAK} {_USED}",
        _AGAIN,
        REGISTER_IMAGE,
    ),
    Entry(
        "AMI002",
        "Billing code incomplete",
        "high",
        "Some of the expected licenses are there and some are missing, such as SQL Server on "
        "Windows or the HA add-on of RHEL. Nothing is extra.",
        _BOTH,
        "What is missing is used without a license of AWS, and Reserved Instances for the whole "
        "platform do not apply.",
        _UNKNOWN,
        f"{_WEAK} {_USED}",
        _AGAIN,
        BILLING_FIELDS,
    ),
    Entry(
        "AMI003",
        "License charged that is not expected",
        "medium",
        "All that is expected is there, and more. An edition of SQL Server alone is AMI009.",
        _BOTH,
        "Each instance launched from it pays for a license that nobody needs.",
        _UNKNOWN,
        f"{_WEAK} {_USED}",
        _DECIDE,
        BILLING_FIELDS,
    ),
    Entry(
        "AMI004",
        "Wrong billing code",
        "high",
        "Some of what is expected is missing, and something else is there. What is yours and paid "
        "is AMI007 and AMI008, editions of SQL Server are AMI009.",
        _BOTH,
        "Instances pay for a license that they do not use, and use one that they do not pay for.",
        _EXCUSED,
        f"{_WEAK} {_USED}",
        (*_DECIDE, *_AGAIN),
        BILLING_FIELDS,
    ),
    Entry(
        "AMI005",
        "Platform details empty",
        "medium",
        "AWS left the platform details empty, and no license is expected that would make it a lost "
        "code (AMI001).",
        "The usage operation that AWS shows.",
        "AWS says to check the platform details of a registered AMI, and to discard it where they "
        "are empty or wrong.",
        "Where the field was never recorded, while the AMI is pending or failed, and where it "
        "carries a product code of the Marketplace.",
        _USED,
        _AGAIN,
        REGISTER_IMAGE,
    ),
    Entry(
        "AMI006",
        "Code not in the reference",
        "low",
        "The code is not among those that AWS publishes.",
        "The usage operation that AWS shows.",
        "AWS calls its list a sample. The code may be right, yet nobody can say what it costs.",
        "Where the code was never recorded or is empty.",
        "Always low. Use does not raise it: the code may be right.",
        ("Ask AWS Support what the code stands for.",),
        BILLING_FIELDS,
        rises_with_use=False,
    ),
    Entry(
        "AMI007",
        "License of your own, yet charged",
        "medium",
        "The image should run on a license of your own (BYOL), and carries the code with which AWS "
        "charges for Windows or RHEL.",
        _BOTH,
        "Each instance launched from it pays AWS for a license that you bring.",
        _UNKNOWN,
        f"{_WEAK} {_USED}",
        (
            (
                "Convert the license of its instances with License Manager. Windows changes to a "
                "license of your own only if launched from your own media. For RHEL the Red Hat "
                "subscription must be there first. AWS lists no conversion with the HA add-on."
            ),
            "Create the AMI again from a converted instance, then discard this one.",
        ),
        WINDOWS_CONVERSION,
    ),
    Entry(
        "AMI008",
        "Billed as a license of your own",
        "high",
        "AWS should charge for the license, and the image carries the code of a license of your "
        "own (BYOL).",
        _BOTH,
        "Instances launched from it need a license that nobody may have bought, and Reserved "
        "Instances for the platform do not apply.",
        _EXCUSED,
        f"{_WEAK} {_USED}",
        (
            (
                "Convert the license of its instances with License Manager. RHEL is converted only "
                "from a Red Hat subscription. AWS lists no conversion with the HA add-on."
            ),
            "Create the AMI again from a converted instance, then discard this one.",
        ),
        LINUX_CONVERSION,
    ),
    Entry(
        "AMI009",
        "Another edition of SQL Server",
        "high",
        "The image carries an edition of SQL Server that is not expected, instead of another one "
        "or beside all that is expected. Nothing else differs. A SQL Server that is missing "
        "altogether is AMI001 or AMI002.",
        _BOTH,
        "Editions of SQL Server differ much in price, and each has Reserved Instances of its own.",
        _UNKNOWN,
        f"Medium where nothing is missing. {_WEAK} {_USED}",
        (
            "AWS lists no license conversion from one edition to another.",
            *_DECIDE,
        ),
        WINDOWS_CONVERSION,
    ),
)
