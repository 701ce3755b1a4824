"""Where LocalStack listens: its own server takes the port of ``GATEWAY_LISTEN`` and leaves out the host."""

from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin


class LoopbackServerPlugin(RuntimeServerPlugin):
    """Gives LocalStack the server that ``GATEWAY_SERVER=loopback`` chooses."""

    name = "loopback"

    def load(self, *args: object, **kwargs: object) -> RuntimeServer:
        from localstack.runtime.server.twisted import TwistedRuntimeServer
        from rolo.gateway import Gateway
        from rolo.serving.twisted import TwistedGateway
        from twisted.internet import endpoints, reactor

        class LoopbackServer(TwistedRuntimeServer):
            """LocalStack's own server on 127.0.0.1 and nowhere else, with plain HTTP only."""

            def register(self, gateway: Gateway, listen: list, ssl_creds: object = None) -> None:
                for address in listen:
                    endpoint = endpoints.TCP4ServerEndpoint(reactor, address.port, interface="127.0.0.1")
                    endpoint.listen(TwistedGateway(gateway))

        return LoopbackServer()
