"""LocalStack plugin: the executor selected by ``LAMBDA_RUNTIME_EXECUTOR=process``."""

import logging
import os
import shutil
import time
from pathlib import Path

from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from host_mode.model import Invocation
from host_mode.sandbox import FunctionSettings, Sandbox

LOG = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """Registers the executor under the name "process"."""

    name = "process"

    def load(self, *args: object, **kwargs: object) -> type[RuntimeExecutor]:
        return ProcessExecutor


class ProcessExecutor(RuntimeExecutor):
    """One execution environment. LocalStack decides when to create, reuse and stop it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._sandbox: Sandbox | None = None
        self._logs = ""

    def start(self, env_vars: dict[str, str]) -> None:
        config = self.function_version.config
        code = str(config.code.get_unzipped_code_location())
        settings = FunctionSettings(
            node=_node(),
            code=code,
            environment=_environment(env_vars, code),
            memory_mb=config.memory_size,
            timeout_seconds=config.timeout,
            version=self.function_version.id.qualifier,
        )
        self._sandbox = Sandbox(settings)
        self._sandbox.start()

    def stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        assert self._sandbox is not None, f"{self.function_version.qualified_arn} was not started"
        invocation = Invocation(
            request_id=payload["invoke-id"],
            arn=payload["invoked-function-arn"],
            payload=payload["payload"].encode(),
            deadline_ms=int(time.time() * 1000) + self.function_version.config.timeout * 1000,
            trace_id=payload["trace-id"],
        )
        result = self._sandbox.invoke(invocation)
        self._logs = result.logs
        return InvocationResult(invocation.request_id, result.payload, is_error=result.is_error, logs=result.logs)

    def get_address(self) -> str:
        return _LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        return _LOOPBACK

    def get_runtime_endpoint(self) -> str:
        # Used by the init process in Docker; this executor's processes use their own Runtime API instead.
        return f"http://{_LOOPBACK}"

    def get_logs(self) -> str:
        return self._logs

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        runtime = function_version.config.runtime or "an image"
        if not runtime.startswith("nodejs"):
            raise ValueError(f"{runtime} cannot run as a process: only Node.js can; for other runtimes use LocalStack in Docker")
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing to clean up: LocalStack removes a version's code."""

    @classmethod
    def validate_environment(cls) -> bool:
        try:
            LOG.info("Lambda functions run as processes of %s", _node())
        except FileNotFoundError as error:
            LOG.warning("%s", error)
            return False
        return True


def _node() -> str:
    given = os.environ.get("LAMBDA_NODE", "node")
    found = shutil.which(given)
    if found is None:
        raise FileNotFoundError(f"LAMBDA_NODE {given} is not a program: set it to the path of Node.js 24 and restart LocalStack")
    return found


def _environment(lambda_variables: dict[str, str], code: str) -> dict[str, str]:
    """A function's environment: Lambda's variables, its own, and only PATH of this machine."""
    runtime = str(Path(__file__).parent)
    local = {"PATH": os.environ.get("PATH", ""), "LANG": "en_US.UTF-8"}
    variables = {name: str(value) for name, value in lambda_variables.items()}
    return {**local, **variables, "LAMBDA_TASK_ROOT": code, "LAMBDA_RUNTIME_DIR": runtime}
