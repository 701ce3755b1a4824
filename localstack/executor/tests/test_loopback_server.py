"""Why LocalStack is given a server of our own, and where that one listens."""

import unittest
from unittest import mock

from localstack.config import HostAndPort
from localstack.runtime.server import twisted

from host_mode.loopback_server import LoopbackServerPlugin


class LoopbackServerTest(unittest.TestCase):
    def interface_of(self, server: twisted.TwistedRuntimeServer) -> str:
        """The interface that a server binds for 127.0.0.1; nothing listens. Empty means all of them."""
        with (
            mock.patch("twisted.internet.endpoints.TCP4ServerEndpoint") as endpoint,
            mock.patch("rolo.serving.twisted.TwistedGateway"),
            mock.patch.object(twisted, "TwistedGateway"),
        ):
            server.register(mock.Mock(), [HostAndPort("127.0.0.1", 4566)])
        return endpoint.call_args.kwargs.get("interface", "")

    def test_ours_listens_on_loopback_alone(self) -> None:
        self.assertEqual(self.interface_of(LoopbackServerPlugin().load()), "127.0.0.1")

    def test_its_own_listens_to_everybody_whatever_host_it_is_told(self) -> None:
        # Fails on the day that LocalStack takes the host: then loopback_server can go.
        self.assertEqual(self.interface_of(twisted.TwistedRuntimeServer()), "")


if __name__ == "__main__":
    unittest.main()
