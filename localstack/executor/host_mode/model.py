"""Messages between an execution environment and its process."""

import json
from dataclasses import dataclass
from typing import Literal

# Lambda's limit of a response in bytes; a longer one is a function error.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_RESPONSE = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function. ``deadline_ms`` is when it times out, in milliseconds since 1970."""

    request_id: str
    arn: str
    payload: bytes
    deadline_ms: int
    trace_id: str = ""


@dataclass(frozen=True)
class Message:
    """A message from a process or about its end; ``body`` is the response, the error as JSON, or the exit reason."""

    kind: Literal["ready", "response", "error", "init error", "exit", "timeout"]
    request_id: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Result:
    """Outcome of an invocation: the payload for the caller and the log lines."""

    payload: bytes
    is_error: bool
    logs: str


def error_payload(error_type: str, message: str) -> bytes:
    """An error in Lambda's format, for failures outside the function's code."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
