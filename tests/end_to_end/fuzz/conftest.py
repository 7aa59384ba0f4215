"""The shared server and a space in it, for requests made from the OpenAPI document."""

from tests.app.conftest import client, live, live_database, operator, shop

__all__ = ["client", "live", "live_database", "operator", "shop"]
