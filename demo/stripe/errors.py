"""What the stand-in answers when it refuses, in Stripe's own words."""

from typing import Any


class Refused(Exception):
    """A request refused with Stripe's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        """The JSON that goes out."""
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def missing(what: str, key: str, param: str) -> Refused:
    """404: no such object."""
    return Refused(404, f"No such {what}: '{key}'", code="resource_missing", param=param)


def unwell(status: int) -> Refused:
    """The error a queued fault of that status asks for."""
    if status == 429:
        return Refused(429, "Too many requests hit the API too quickly.", code="rate_limit")
    if status == 409:
        return Refused(409, "This object cannot be accessed right now. Try again later.", code="lock_timeout")
    if status >= 500:
        return Refused(status, "An unknown error occurred", kind="api_error")
    return Refused(status, f"The stand-in was told to answer {status}.")
