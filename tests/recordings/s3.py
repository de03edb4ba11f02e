"""A store that speaks S3 on this machine, and the arithmetic of its signatures done a second time."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

import boto3
import pytest
from flask import Flask
from moto.server import ThreadedMotoServer

from recordings.s3_store import S3Store

REGION: Final = "eu-west-2"


@dataclass(frozen=True)
class Bucket:
    """Where it is and with which keys; made up for this run."""

    endpoint: str
    name: str
    access_key: str
    secret_key: str

    def config(self) -> dict[str, str]:
        return {
            "MEDIA_STORE": "s3",
            "S3_ENDPOINT": self.endpoint,
            "S3_REGION": REGION,
            "S3_BUCKET": self.name,
            "S3_ACCESS_KEY": self.access_key,
            "S3_SECRET_KEY": self.secret_key,
        }

    def chosen_by(self, app: Flask, patch: pytest.MonkeyPatch, **more: str) -> S3Store:
        """Make it the application's store until the test ends."""
        for name, value in {**self.config(), **more}.items():
            patch.setitem(app.config, name, value)
        store = S3Store(app.config)
        patch.setitem(app.extensions, "media_store", store)
        return store


@contextmanager
def bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found = Bucket(
            f"http://{host}:{port}",
            f"films-{secrets.token_hex(4)}",
            "AKIA" + secrets.token_hex(8).upper(),
            secrets.token_hex(20),
        )
        boto3.client(
            "s3",
            endpoint_url=found.endpoint,
            region_name=REGION,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key,
        ).create_bucket(Bucket=found.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield found
    finally:
        server.stop()


def signature(address: str, secret_key: str, method: str = "GET") -> str:
    """What X-Amz-Signature has to be (AWS Signature Version 4, authentication in the query, payload unsigned)."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    query.pop("X-Amz-Signature")
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-SignedHeaders"] == "host"
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    canonical_query = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
    request = "\n".join((method, parts.path, canonical_query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"))
    to_sign = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + secret_key.encode()
    for part in (*scope.split("/")[:3], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()
