"""The shared server, spaces in it, and a deployment with a receiver, for tests without a server of their own."""

from tests.app.conftest import calling, client, deployment, live, live_database, operator, shop

__all__ = ["calling", "client", "deployment", "live", "live_database", "operator", "shop"]
