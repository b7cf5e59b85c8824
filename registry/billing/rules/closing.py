"""When the finding of a rule closes, in words. Nobody closes one by hand."""

_CODE = "Its code is what is expected, or the image is gone."
_BOTH = "The two codes agree, or the image is gone."
_USED = "Every Reserved Instance of the purchase is used, or the purchase is over."

CLOSES = {
    **dict.fromkeys(("AMI001", "AMI002", "AMI003", "AMI004", "AMI007", "AMI008", "AMI009"), _CODE),
    "AMI005": "AWS shows its platform details, or the image is gone.",
    "AMI006": "The published codes name its code, or the image is gone.",
    "AMI010": _BOTH,
    "AMI011": _BOTH,
    "AMI012": (
        "No instance of it runs any more, or its code is what is expected. If the image is gone "
        "while they run, AMI013 takes its place."
    ),
    "AMI013": "No instance of it runs any more, or AWS shows the image again.",
    "AMI014": "The image is gone.",
    "AMI015": "Nobody else may launch it any more, or the image is gone.",
    "INS001": "The two codes agree, or the instance is terminated or gone.",
    "RI001": _USED,
    "RI002": _USED,
}
