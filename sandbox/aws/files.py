"""S3, as far as it is read: the files of a bucket, page by page, and one of them.

A request names its bucket in the path, as boto3 does for an address without a name.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from sandbox.aws.errors import Refused
from sandbox.aws.state import State, text

Params = Mapping[str, Any]
MOST_KEYS = 1000


@dataclass(frozen=True)
class File:
    content: bytes
    changed_at: datetime

    @cached_property
    def tag(self) -> str:
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'


@dataclass
class Bucket:
    """The files of one account. `fill` makes them when somebody asks for the first time."""

    owner: str
    files: dict[str, File] = field(default_factory=dict)
    fill: Callable[[], dict[str, File]] | None = None

    def filled(self) -> dict[str, File]:
        if self.fill is not None:
            self.files |= self.fill()
            self.fill = None
        return self.files


@dataclass(frozen=True, slots=True)
class Found:
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/xml"


def read(path: str, headers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the operation that a path means, and its parameters."""
    parts = urlsplit(path)
    bucket, _, key = parts.path.lstrip("/").partition("/")
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not bucket:
        raise Refused("NotFound", "The list of buckets is not simulated.", 404)
    if key:
        wanted = {"IfMatch": headers["if-match"]} if "if-match" in headers else {}
        return "GetObject", {"Bucket": bucket, "Key": unquote(key), **wanted}
    if asked.get("list-type") != "2":
        raise Refused("NotImplemented", "Only ListObjectsV2 is simulated.", 501)
    names = {
        "prefix": "Prefix",
        "max-keys": "MaxKeys",
        "continuation-token": "ContinuationToken",
        "encoding-type": "EncodingType",
    }
    given = {ours: asked[theirs] for theirs, ours in names.items() if theirs in asked}
    return "ListObjectsV2", {"Bucket": bucket, **given}


def list_objects(state: State, account: str, params: Params) -> Found:
    files = _bucket(state, account, params).filled()
    prefix, after = params.get("Prefix", ""), params.get("ContinuationToken", "")
    most = min(int(params.get("MaxKeys", MOST_KEYS)), MOST_KEYS)
    rest = [key for key in sorted(files) if key.startswith(prefix) and key > after]
    shown = rest[:most]
    is_encoded = params.get("EncodingType") == "url"
    written = quote if is_encoded else escape
    contents = "".join(_content(written(key), files[key]) for key in shown)
    more = "".join(
        f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>"
        for _ in rest[most : most + 1]
    )
    body = (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{escape(params['Bucket'])}</Name><Prefix>{written(prefix)}</Prefix>"
        f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{most}</MaxKeys>"
        f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{contents}"
        f"{'<EncodingType>url</EncodingType>' if is_encoded else ''}</ListBucketResult>"
    )
    return Found(f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode())


def get_object(state: State, account: str, params: Params) -> Found:
    file = _bucket(state, account, params).filled().get(params["Key"])
    if file is None:
        raise Refused("NoSuchKey", "The specified key does not exist.", 404)
    if params.get("IfMatch", file.tag) != file.tag:
        message = "At least one of the pre-conditions you specified did not hold"
        raise Refused("PreconditionFailed", message, 412)
    changed = file.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"ETag": file.tag, "Last-Modified": changed}
    return Found(file.content, headers, "binary/octet-stream")


OPERATIONS: Mapping[str, Callable[[State, str, Params], Found]] = {
    "ListObjectsV2": list_objects,
    "GetObject": get_object,
}


def write_error(error: Refused, request_id: str) -> bytes:
    told = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    return f"<Error>{told}<RequestId>{request_id}</RequestId></Error>".encode()


def _bucket(state: State, account: str, params: Params) -> Bucket:
    bucket: Bucket | None = state.buckets.get(params["Bucket"])
    if bucket is None:
        raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    if bucket.owner != account:
        raise Refused("AccessDenied", "Access Denied", 403)
    return bucket


def _content(key: str, file: File) -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>{text(file.changed_at)}</LastModified>"
        f"<ETag>{escape(file.tag)}</ETag><Size>{len(file.content)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
