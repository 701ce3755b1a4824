"""The Runtime API over HTTP."""

import http.client
import threading
import unittest

from host_mode.model import Invocation
from host_mode.runtime_api import RuntimeApi

NEXT = "/2018-06-01/runtime/invocation/next"


class RuntimeApiTest(unittest.TestCase):
    def setUp(self) -> None:
        self.api = RuntimeApi()
        self.addCleanup(self.api.close)

    def request(self, method: str, path: str, body: bytes = b"") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.api.address, timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, path, body)
        return connection.getresponse()

    def test_listens_on_loopback_only(self) -> None:
        self.assertTrue(self.api.address.startswith("127.0.0.1:"))

    def test_a_queued_invocation_is_returned_immediately(self) -> None:
        self.api.offer(Invocation("id", "arn", b'{"a":1}', 17, "trace"))
        response = self.request("GET", NEXT)
        self.assertEqual(response.read(), b'{"a":1}')
        self.assertEqual(response.headers["Lambda-Runtime-Aws-Request-Id"], "id")
        self.assertEqual(response.headers["Lambda-Runtime-Deadline-Ms"], "17")
        self.assertEqual(response.headers["Lambda-Runtime-Invoked-Function-Arn"], "arn")
        self.assertEqual(response.headers["Lambda-Runtime-Trace-Id"], "trace")

    def test_a_request_waits_for_the_next_invocation(self) -> None:
        responses: list[bytes] = []
        request = threading.Thread(target=lambda: responses.append(self.request("GET", NEXT).read()))
        request.start()
        self.assertEqual(self.api.messages.get(timeout=5).kind, "ready")
        self.assertEqual(responses, [])
        self.api.offer(Invocation("id", "arn", b"now", 17))
        request.join(5)
        self.assertEqual(responses, [b"now"])

    def test_a_response_is_accepted_once_and_only_for_an_open_invocation(self) -> None:
        self.api.offer(Invocation("id", "arn", b"", 17))
        path = "/2018-06-01/runtime/invocation/{}/response"
        statuses = [self.request("POST", path.format(id), b"1").status for id in ("other", "id", "id")]
        self.assertEqual(statuses, [400, 202, 400])
        self.assertEqual(self.api.messages.get(timeout=5).body, b"1")
        self.assertTrue(self.api.messages.empty())

    def test_any_other_path_is_not_found(self) -> None:
        self.assertEqual(self.request("GET", "/").status, 404)
        self.assertEqual(self.request("POST", "/2018-06-01/runtime/invocation/id/other").status, 404)


if __name__ == "__main__":
    unittest.main()
