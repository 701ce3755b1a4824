"""Interfaces of the loopback server and of LocalStack's default server."""

import unittest
from unittest import mock

from localstack.config import HostAndPort
from localstack.runtime.server import twisted

from host_mode.loopback_server import LoopbackServerPlugin


class LoopbackServerTest(unittest.TestCase):
    def interface_of(self, server: twisted.TwistedRuntimeServer) -> str:
        """The interface that a server would bind for 127.0.0.1, without listening. Empty means all interfaces."""
        with (
            mock.patch("twisted.internet.endpoints.TCP4ServerEndpoint") as endpoint,
            mock.patch("rolo.serving.twisted.TwistedGateway"),
            mock.patch.object(twisted, "TwistedGateway"),
        ):
            server.register(mock.Mock(), [HostAndPort("127.0.0.1", 4566)])
        return endpoint.call_args.kwargs.get("interface", "")

    def test_loopback_server_listens_on_loopback_only(self) -> None:
        self.assertEqual(self.interface_of(LoopbackServerPlugin().load()), "127.0.0.1")

    def test_default_server_ignores_the_host_and_listens_on_all_interfaces(self) -> None:
        # If this fails, LocalStack respects the host and loopback_server can be removed.
        self.assertEqual(self.interface_of(twisted.TwistedRuntimeServer()), "")


if __name__ == "__main__":
    unittest.main()
