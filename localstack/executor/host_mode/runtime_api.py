"""Server of the Lambda Runtime API for one process of a function.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

from host_mode.model import LARGEST_RESPONSE, Invocation, Message, error_payload

_RESULT = re.compile(r"^/2018-06-01/runtime/invocation/([^/]+)/(response|error)$")
_KINDS = {"response": "response", "error": "error"}


class RuntimeApi:
    """Serves one process on a free port of 127.0.0.1. Its messages are in ``messages``, in order."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        # Ids of invocations without response; a response to any other is late and rejected.
        self._waiting: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, name="lambda-runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Queues an invocation for the process."""
        self._waiting.add(invocation.request_id)
        self._invocations.put(invocation)

    def close(self) -> None:
        """Stops serving and closes the connection of a process that waits for an invocation."""
        self._invocations.put(None)
        # In the background, because the server takes up to half a second to stop.
        threading.Thread(target=self._shut_down, daemon=True).start()

    def _shut_down(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        messages, invocations, waiting = self.messages, self._invocations, self._waiting

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Nagle's algorithm would delay the body until the headers are acknowledged: at least 40 ms per call.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:  # noqa: N802, required by BaseHTTPRequestHandler
                if self.path != "/2018-06-01/runtime/invocation/next":
                    return self._answer(404)
                messages.put(Message("ready"))
                invocation = invocations.get()
                if invocation is None:
                    self.close_connection = True
                    return None
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                    "Lambda-Runtime-Trace-Id": invocation.trace_id,
                }
                return self._answer(200, invocation.payload, headers)

            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/2018-06-01/runtime/init/error":
                    messages.put(Message("init error", body=body))
                    return self._answer(202)
                result = _RESULT.match(self.path)
                if result is None:
                    return self._answer(404)
                request_id, kind = result.groups()
                if request_id not in waiting:
                    return self._answer(400)
                waiting.remove(request_id)
                if len(body) > LARGEST_RESPONSE:
                    messages.put(Message("error", request_id, _too_large()))
                    return self._answer(413)
                messages.put(Message(_KINDS[kind], request_id, body))
                return self._answer(202)

            def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
                self.send_response_only(status)
                for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Disables request logging."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores broken connections: the exit message reports a process that died during a request."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _too_large() -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
    return error_payload("Function.ResponseSizeTooLarge", message)
