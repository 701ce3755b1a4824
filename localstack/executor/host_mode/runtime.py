"""One process of a function."""

import os
import signal
import subprocess
import threading
from pathlib import Path

from host_mode.model import Message
from host_mode.runtime_api import RuntimeApi

_BOOTSTRAP = Path(__file__).with_name("bootstrap.mjs")
# The log file is truncated at this size, so that a long-lived function with many log lines does not fill the disk.
_LARGEST_LOG = 8 * 1024 * 1024


class Runtime:
    """Starts the process immediately; the last of ``api.messages`` is an "exit" when it has ended."""

    def __init__(self, node: str, code: str, environment: dict[str, str], memory_mb: int, folder: Path) -> None:
        self.api = RuntimeApi()
        # A file rather than a pipe, so that everything written before a response is readable when the response arrives.
        self._log = (folder / "output.log").open("w+b")
        with (folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [node, *_memory_flags(memory_mb), str(_BOOTSTRAP)],
                cwd=code,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self.api.address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, name="lambda-process", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """Kills the process and its children, as Lambda does; returns when it has ended."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self.api.close()
        self._log.close()

    def read_log(self) -> str:
        """Output since the previous call."""
        size = os.fstat(self._log.fileno()).st_size
        text = self._log.read(size - self._log.tell())
        if size > _LARGEST_LOG:
            self._log.truncate(0)
            self._log.seek(0)
        return text.decode(errors="replace")

    def memory_used_mb(self) -> int:
        """Peak memory of the process in MB; 0 if the system does not report it."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        return int(peak[0]) // 1024 if peak else 0

    def _watch(self) -> None:
        code = self._process.wait()
        reason = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        self.api.messages.put(Message("exit", body=reason.encode()))


def _memory_flags(memory_mb: int) -> list[str]:
    # The same shares of the function's memory as in Lambda's Node.js runtime.
    return [f"--max-old-space-size={memory_mb * 9 // 10}", f"--max-semi-space-size={max(1, memory_mb // 20)}"]
