"""The stand-in talks with this machine alone."""

import contextlib
import ipaddress
from urllib.parse import urlsplit


def check_host(host: str) -> None:
    """Raises ValueError unless the host is this machine alone."""
    if host == "localhost":
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    raise ValueError(f"the stand-in for Stripe keeps to loopback, {host!r} is not")


def check_address(address: str) -> None:
    """Raises ValueError unless it is an http address on this machine."""
    target = urlsplit(address)
    if target.scheme != "http":
        raise ValueError(f"{address!r} is no http address")
    check_host(target.hostname or "")
