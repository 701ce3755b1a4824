"""LocalStack's listener on 127.0.0.1: its default server uses the port of ``GATEWAY_LISTEN`` but ignores the host."""

from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin


class LoopbackServerPlugin(RuntimeServerPlugin):
    """The server selected by ``GATEWAY_SERVER=loopback``."""

    name = "loopback"

    def load(self, *args: object, **kwargs: object) -> RuntimeServer:
        from localstack.runtime.server.twisted import TwistedRuntimeServer
        from rolo.gateway import Gateway
        from rolo.serving.twisted import TwistedGateway
        from twisted.internet import endpoints, reactor

        class LoopbackServer(TwistedRuntimeServer):
            """LocalStack's default server, but only on 127.0.0.1 and with plain HTTP."""

            def register(self, gateway: Gateway, listen: list, ssl_creds: object = None) -> None:
                for address in listen:
                    endpoint = endpoints.TCP4ServerEndpoint(reactor, address.port, interface="127.0.0.1")
                    endpoint.listen(TwistedGateway(gateway))

        return LoopbackServer()
