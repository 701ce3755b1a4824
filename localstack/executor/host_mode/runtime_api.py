"""The Lambda Runtime API, as a process of a function sees it.

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
    """Serves one process on a free port of 127.0.0.1. What the process says is in ``messages``, in its order."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        # Ids of the invocations that have no answer yet; what comes for another one is late and of no use.
        self._waiting: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, name="lambda-runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API names them."""
        return f"127.0.0.1:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Gives an invocation to the process, at once or when it asks for the next one."""
        self._waiting.add(invocation.request_id)
        self._invocations.put(invocation)

    def close(self) -> None:
        """Stops serving; a process that waits for its next invocation loses its connection."""
        self._invocations.put(None)
        # The server notices within half a second, for which nobody needs to wait.
        threading.Thread(target=self._shut_down, daemon=True).start()

    def _shut_down(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        messages, invocations, waiting = self.messages, self._invocations, self._waiting

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without it the body waits for the acknowledgement of the headers: 40 ms and more for every call.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:  # noqa: N802, the name that the server calls
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
                """Requests are not logged."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A process that died in the middle of a request is reported by its exit."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _too_large() -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
    return error_payload("Function.ResponseSizeTooLarge", message)
