"""What images can be made of in the simulated company, and what there is in the end."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3

COPY_TAG = "amiportal:copy-of:"
TAG = "amiportal:registration"


@dataclass(frozen=True)
class Company:
    """The simulated AWS, asked from outside."""

    url: str

    def turn(self, what: str, **wanted: Any) -> Any:
        """Ask the sandbox itself: faults, pace, images, calls."""
        body = json.dumps(wanted).encode()
        address = f"{self.url}/_sandbox/{what}"
        with urlopen(Request(address, data=body), timeout=30) as answer:  # noqa: S310  # ours
            return json.loads(answer.read())

    def images(self) -> list[dict[str, Any]]:
        """Return every image that exists, also what nobody sees yet."""
        found: list[dict[str, Any]] = self.turn("images")
        return found

    def made_by(self) -> dict[str, list[dict[str, Any]]]:
        """Return the images by the key of the registration that made them."""
        found: dict[str, list[dict[str, Any]]] = {}
        for image in self.images():
            tags = {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])}
            source = image.get("SourceImageId", "")
            key = tags.get(f"{COPY_TAG}{source}") or ("" if source else tags.get(TAG, ""))
            if not key and image.get("SourceInstanceId"):
                key = tags.get(TAG, "")
            if key and image["State"] != "failed":
                found.setdefault(key, []).append(image)
        return found

    def instances(self, account: str, region: str) -> list[dict[str, Any]]:
        client: Any = boto3.client(
            "ec2",
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=f"AKIA{account}",
            aws_secret_access_key="demo",
        )
        pages = client.get_paginator("describe_instances").paginate()
        found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
        return [i for i in found if i["State"]["Name"] in {"running", "stopped"}]
