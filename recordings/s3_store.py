"""The store behind an address that speaks S3: a private bucket that only we read from, range by range."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, cast

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from lib import settings
from recordings.ranges import Piece
from recordings.streams import Counted, Source

PART = 8 * 1024 * 1024  # what a part of an upload has, and what one upload holds in memory
CONNECTIONS = 64  # as many as a web process has threads


class StoreFails(OSError):
    """The store cannot be reached, or will not do what was asked; the same may go through later."""


class _Body:
    """The store's answer. What breaks while it is read is an OSError too."""

    def __init__(self, body: StreamingBody) -> None:
        self.body = body

    def read(self, amount: int, /) -> bytes:
        with _as_os_errors():
            return self.body.read(amount)

    def close(self) -> None:
        self.body.close()


class S3Store:
    """One bucket. Any number of threads may use it at once."""

    def __init__(self, config: Mapping[str, object]) -> None:
        self.bucket = str(config["S3_BUCKET"])
        self.client = boto3.client(
            "s3",
            endpoint_url=str(config["S3_ENDPOINT"]),
            region_name=str(config["S3_REGION"]),
            aws_access_key_id=str(config["S3_ACCESS_KEY"]) or None,
            aws_secret_access_key=str(config["S3_SECRET_KEY"]) or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
                max_pool_connections=CONNECTIONS,
                # Checksums in trailers are Amazon's alone; the others refuse what they do not know.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        # One part at a time: a film on its way in never takes more memory than one.
        self.transfer = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)

    def put(self, key: str, stream: Counted) -> None:
        """A multipart upload; one that breaks leaves no part."""
        with _as_os_errors():
            source = cast(IO[bytes], stream)  # it is read and nothing else
            self.client.upload_fileobj(source, self.bucket, key, Config=self.transfer)

    def move_in(self, key: str, file: Path) -> None:
        with _as_os_errors():
            self.client.upload_file(str(file), self.bucket, key, Config=self.transfer)
        file.unlink()

    def copy(self, name: str, key: str) -> None:
        """Within the bucket, in parts where it is large; nothing of it passes through here."""
        with _as_os_errors():
            self.client.copy({"Bucket": self.bucket, "Key": name}, self.bucket, key, Config=self.transfer)

    def size(self, key: str) -> int:
        with _as_os_errors():
            return self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]

    def open(self, key: str, piece: Piece | None) -> tuple[Source, int]:
        with _as_os_errors():
            if piece is None or not piece.length:
                found = self.client.get_object(Bucket=self.bucket, Key=key)
            else:
                wanted = f"bytes={piece.first}-{piece.last}"
                found = self.client.get_object(Bucket=self.bucket, Key=key, Range=wanted)
        return _Body(found["Body"]), found["ContentLength"]

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """A copy in the instance folder, gone after the block."""
        with tempfile.TemporaryDirectory(prefix="film-", dir=settings.instance_folder()) as here:
            file = Path(here) / key
            with _as_os_errors():
                self.client.download_file(self.bucket, key, str(file), Config=self.transfer)
            yield file

    def remove(self, keys: Sequence[str]) -> None:
        with _as_os_errors():
            for key in keys:
                self.client.delete_object(Bucket=self.bucket, Key=key)

    def older(self, before: datetime) -> Iterator[str]:
        """The objects at the top of the bucket, page by page; prefixes are others' own."""
        with _as_os_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Delimiter="/"):
                for each in page.get("Contents", ()):
                    if each["LastModified"] < before:
                        yield each["Key"]

    def address(self, key: str, seconds: int, content_type: str, disposition: str) -> str:
        """A signed address (SigV4 in its query) that reads this one file for `seconds` by the machine's clock."""
        wanted = {"Bucket": self.bucket, "Key": key, "ResponseContentType": content_type}
        wanted["ResponseCacheControl"] = "private, no-store"
        if disposition:
            wanted["ResponseContentDisposition"] = disposition
        return self.client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Whatever goes wrong with the store is an OSError, as with a disk; the message never names a key."""
    try:
        yield
    except ClientError as problem:
        code = problem.response.get("Error", {}).get("Code", "")
        if code in ("404", "NoSuchKey", "NotFound"):
            raise FileNotFoundError("the store has no such file") from None
        raise StoreFails(f"the store answered {code}") from None
    except (BotoCoreError, Boto3Error) as problem:
        raise StoreFails(f"the store fails: {type(problem).__name__}") from None
