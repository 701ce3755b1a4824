"""Small functions for the tests, each in a folder like an unpacked archive."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from host_mode.model import Invocation, Result
from host_mode.sandbox import FunctionSettings, Sandbox

NODE = shutil.which(os.environ.get("LAMBDA_NODE", "node")) or "node"


class Function:
    """A function with one module, in a temporary folder that ``close`` deletes."""

    def __init__(self, source: str, handler: str = "index.handler", file: str = "index.mjs", seconds: int = 5) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="executor-test-"))
        code = self.folder / "code"
        (code / file).parent.mkdir(parents=True)
        (code / file).write_text(source)
        environment = {"_HANDLER": handler, "LAMBDA_TASK_ROOT": str(code), "AWS_LAMBDA_FUNCTION_NAME": "tested"}
        self.sandbox = Sandbox(FunctionSettings(NODE, str(code), environment, 256, seconds), self.folder)
        self._calls = 0

    def call(self, event: object = None) -> Result:
        """Invokes the function with an event, under a new request id."""
        self._calls += 1
        deadline = int(time.time() * 1000) + 5000
        return self.sandbox.invoke(Invocation(f"call-{self._calls}", "arn:tested", json.dumps(event).encode(), deadline))

    def value(self, event: object = None) -> object:
        """Result of a successful invocation."""
        result = self.call(event)
        assert not result.is_error, result
        return json.loads(result.payload)

    def error(self, event: object = None) -> dict:
        """Error of a failed invocation."""
        result = self.call(event)
        assert result.is_error, result
        return json.loads(result.payload)

    def close(self) -> None:
        self.sandbox.stop()
        shutil.rmtree(self.folder)


def wait_until(holds: Callable[[], bool]) -> None:
    """Waits up to five seconds."""
    until = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < until, "waited for five seconds"
        time.sleep(0.01)
