"""One execution environment: a process that handles one invocation at a time and is restarted after it dies."""

import math
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

from host_mode.model import Invocation, Message, Result, error_payload
from host_mode.runtime import Runtime

# Lambda's time limit for the init phase, in seconds.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
_INIT_SECONDS = 10


@dataclass(frozen=True)
class FunctionSettings:
    """Settings of a function's processes. ``code`` is the folder of its unpacked archive."""

    node: str
    code: str
    environment: dict[str, str]
    memory_mb: int
    timeout_seconds: int
    version: str = "$LATEST"


class Sandbox:
    """Runs one function. If the process exits, fails to start or times out, the invocation fails and the next one is a cold
    start, as on Lambda; function failures raise no exception."""

    def __init__(self, settings: FunctionSettings, parent: Path | None = None) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="function-", dir=parent))
        self._lock = threading.Lock()
        self._runtime: Runtime | None = None
        self._is_ready = False
        self._is_stopped = False

    def start(self) -> None:
        """Runs the init phase. If it fails or times out, the first invocation repeats it."""
        runtime = self._spawn()
        if not self._becomes_ready(_next(runtime, time.monotonic() + _INIT_SECONDS)):
            self._end()

    def invoke(self, invocation: Invocation) -> Result:
        """Passes the invocation to the process, and waits for its response or the function's timeout."""
        started = time.monotonic()
        deadline = started + self._settings.timeout_seconds
        runtime, message = self._wait_ready(deadline)
        if message.kind == "ready":
            self._is_ready = False
            runtime.api.offer(invocation)
            message = _next(runtime, deadline)
        logs = self._report(runtime, invocation.request_id, time.monotonic() - started)
        if message.kind not in ("response", "error"):
            self._end()
        return Result(self._payload(message, invocation.request_id), message.kind != "response", logs)

    def has_died(self) -> bool:
        """Whether the process has exited since the last invocation."""
        return self._runtime is not None and self._runtime.has_ended()

    def stop(self) -> None:
        """Kills the process and deletes its temporary folder."""
        with self._lock:
            self._is_stopped = True
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_ready(self, deadline: float) -> tuple[Runtime, Message]:
        """The process and its last message: "ready", or why it cannot take an invocation."""
        runtime = self._runtime
        if runtime is not None and not self._is_ready:
            message = _next(runtime, deadline)
            if message.kind == "timeout":
                return runtime, message
        if runtime is not None and not runtime.has_ended():
            return runtime, Message("ready")
        # The process was never started, or died between two invocations: this one starts a new process.
        self._end()
        runtime = self._spawn()
        return runtime, _next(runtime, deadline)

    def _becomes_ready(self, message: Message) -> bool:
        self._is_ready = message.kind == "ready"
        return self._is_ready

    def _spawn(self) -> Runtime:
        settings = self._settings
        environment = {**settings.environment, "TMPDIR": str(self._folder)}
        with self._lock:
            if self._is_stopped:
                raise RuntimeError(f"execution environment of {settings.code} was stopped: invoke the function again")
            self._runtime = Runtime(settings.node, settings.code, environment, settings.memory_mb, self._folder)
            return self._runtime

    def _end(self) -> None:
        with self._lock:
            runtime, self._runtime, self._is_ready = self._runtime, None, False
        if runtime is not None:
            runtime.kill()

    def _payload(self, message: Message, request_id: str) -> bytes:
        if message.kind == "exit":
            reason = message.body.decode()
            return error_payload("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {reason}")
        if message.kind == "timeout":
            limit = f"Task timed out after {self._settings.timeout_seconds:.2f} seconds"
            return error_payload("Sandbox.Timedout", f"RequestId: {request_id} Error: {limit}")
        return message.body

    def _report(self, runtime: Runtime, request_id: str, seconds: float) -> str:
        milliseconds = seconds * 1000
        report = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {math.ceil(milliseconds)} ms",
            f"Memory Size: {self._settings.memory_mb} MB",
            f"Max Memory Used: {runtime.memory_used_mb()} MB",
        ]
        start = f"START RequestId: {request_id} Version: {self._settings.version}"
        lines = [start, runtime.read_log().rstrip("\n"), f"END RequestId: {request_id}", "\t".join(report)]
        return "\n".join(line for line in lines if line)


def _next(runtime: Runtime, deadline: float) -> Message:
    try:
        return runtime.api.messages.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        return Message("timeout")
