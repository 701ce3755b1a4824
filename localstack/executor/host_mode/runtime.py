"""One process of a function, from its start to its end."""

import os
import signal
import subprocess
import threading
from pathlib import Path

from host_mode.model import Message
from host_mode.runtime_api import RuntimeApi

_BOOTSTRAP = Path(__file__).with_name("bootstrap.mjs")
# A file that is read from its start again, so that a function that logs much and lives long fills no disk.
_LARGEST_LOG = 8 * 1024 * 1024


class Runtime:
    """Starts the process at once; ``api.messages`` ends with an "exit" when it is gone."""

    def __init__(self, node: str, code: str, environment: dict[str, str], memory_mb: int, folder: Path) -> None:
        self.api = RuntimeApi()
        # A file and not a pipe: what the process wrote before it answered is there when the answer is.
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
        """Ends the process and its children at once, as Lambda does; returns when it is gone."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self.api.close()
        self._log.close()

    def read_log(self) -> str:
        """What the process wrote since the last time."""
        size = os.fstat(self._log.fileno()).st_size
        text = self._log.read(size - self._log.tell())
        if size > _LARGEST_LOG:
            self._log.truncate(0)
            self._log.seek(0)
        return text.decode(errors="replace")

    def memory_used_mb(self) -> int:
        """The most memory that the process has held so far, in MB; 0 where the system does not tell."""
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
    # Shares of the function's memory, as Lambda's own Node.js runtime sets them.
    return [f"--max-old-space-size={memory_mb * 9 // 10}", f"--max-semi-space-size={max(1, memory_mb // 20)}"]
