"""What passes between an execution environment and its process."""

import json
from dataclasses import dataclass
from typing import Literal

# Bytes of a response that Lambda gives back; a longer one is an error of the function.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_RESPONSE = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Invocation:
    """One call of a function. ``deadline_ms`` is the time at which it is over, in milliseconds since 1970."""

    request_id: str
    arn: str
    payload: bytes
    deadline_ms: int
    trace_id: str = ""


@dataclass(frozen=True)
class Message:
    """What a process said or what became of it; ``body`` is the response, the error as JSON, or how it ended."""

    kind: Literal["ready", "response", "error", "init error", "exit", "timeout"]
    request_id: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Result:
    """How a call ended: the payload as the caller gets it, and the log lines of this call."""

    payload: bytes
    is_error: bool
    logs: str


def error_payload(error_type: str, message: str) -> bytes:
    """An error as Lambda itself reports it, where the function had no say."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
