"""The rulebook on where an image comes from, and on who uses it."""

from registry.billing.rules.entry import (
    ANCESTRY,
    LINUX_CONVERSION,
    MODIFY_IMAGE,
    REGISTER_IMAGE,
    Entry,
)

_USED = (
    "One level up where instances run, one where Reserved Instances stay idle because of it, and "
    "one where instances run and the AMI was created more than 90 days ago."
)

IMAGES = (
    Entry(
        "AMI010",
        "Billed unlike its parent",
        "medium",
        "The code differs from that of the nearest thing it came from, although it is not wrong by "
        "what is expected, for example because somebody declared otherwise.",
        "The way of the image as AWS recorded it, and the usage operation of both.",
        "A code is passed on. Where it changed on the way, one of the two may be wrong.",
        "Where the way was only read from a text, where a code is not known, where the code of the "
        "source instance was changed later, where AWS may have converted a license in between, "
        "where the parent image is plain, where a product code of the Marketplace is on it, and "
        "where the image breaks a rule for its code anyway.",
        _USED,
        (
            "Find out which of the two is right.",
            "Create the wrong one again from the other, then discard it.",
        ),
        ANCESTRY,
    ),
    Entry(
        "AMI011",
        "Copy billed unlike its original",
        "medium",
        "The code of a copy differs from that of its original, although it is not wrong by what is "
        "expected.",
        "The original as AWS recorded it, and the usage operation of both.",
        "A copy should carry the code of its original, in every region. Whether AWS passes it on "
        "from another account is not confirmed.",
        "Where the way was only read from a text, where a code is not known, where a product code "
        "of the Marketplace is on it, and where the copy breaks a rule for its code anyway.",
        _USED,
        (
            "Find out whether the code of the original is right.",
            "Create an AMI with CreateImage from an instance with the right code, and copy that.",
            "Discard the wrong copy. The billing code of an AMI can't be edited.",
        ),
        ANCESTRY,
    ),
    Entry(
        "AMI012",
        "Instances run on an image with a wrong code",
        "high",
        "Instances run that were launched from an image whose code is lost, incomplete, extra or "
        "wrong.",
        "The verdict on the image, and the running instances that name it.",
        "An instance keeps the code that it was launched with: a right AMI does not put it right.",
        "Where the verdict is unknown or excused, and where no instance runs.",
        "Medium where nothing that AWS sells is missing. One level down where only a text that "
        "anybody may write speaks for the expected code. Use does not raise it: it is about use.",
        (
            (
                "Convert the license where AWS lists a conversion: Windows and SQL Server between "
                "your own and that of AWS, RHEL likewise with a Red Hat subscription, Ubuntu LTS "
                "to Ubuntu Pro. From plain Linux to RHEL or SUSE it lists none."
            ),
            "Otherwise replace the instances with ones launched from an AMI with the right code.",
        ),
        LINUX_CONVERSION,
        rises_with_use=False,
    ),
    Entry(
        "AMI013",
        "Instances run on an image that is gone",
        "medium",
        "AWS shows the image no longer, and instances run that were launched from it.",
        "The image as it was last seen, and the running instances that name it.",
        "The instances keep running, yet nothing can be launched from it again: an Auto Scaling "
        "group that uses it can't replace an instance.",
        "Where no instance runs. A gone image breaks no other rule.",
        "High where its code was wrong when it was last seen. Use does not raise it: it is about "
        "use.",
        (
            "Look for the image in the Recycle Bin, if a retention rule keeps AMIs there.",
            "Create an AMI with CreateImage from an instance with the right code.",
            "Name the new AMI in the launch templates and Auto Scaling groups.",
        ),
        ANCESTRY,
        rises_with_use=False,
    ),
    Entry(
        "AMI014",
        "Windows registered from a snapshot",
        "medium",
        "An image of Windows was made with RegisterImage.",
        "The operation that made it, the Platform, and the code that it carries or should carry.",
        "AWS documents the registration of snapshots for Linux. A guide of 2019 says that "
        "instances of a Windows AMI made so do not launch; today's says to check the platform "
        "details and to discard the AMI where they are wrong.",
        "Where it is not known how the image was made, where only a text says that it is Windows, "
        "and for images of AWS and other vendors.",
        "Low where instances of it run: so it can be launched. Use does not raise it.",
        (
            "Launch an instance from it and check that it starts, and what it is billed as.",
            "Create the AMI again with CreateImage from an instance of Windows.",
        ),
        REGISTER_IMAGE,
        rises_with_use=False,
    ),
    Entry(
        "AMI015",
        "Marketplace product on a shared image",
        "medium",
        "An image with a product code of the Marketplace is public, or others may launch it.",
        "The product codes of the image, and its launch permissions.",
        "A product code is a charge for software beside the billing code. AWS lets no AMI with "
        "such a code be public.",
        "Where the launch permissions were not read, and for images of AWS and other vendors.",
        "Always medium. Use does not raise it: it is about who may use the image.",
        (
            "Check whether the terms of the product allow to share it.",
            "If not, remove the launch permissions for others.",
        ),
        MODIFY_IMAGE,
        rises_with_use=False,
    ),
)
