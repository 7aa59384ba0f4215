"""The shared server and spaces in it, and the operator and database behind them."""

from tests.app.conftest import client, live, live_database, operator, other_shop, rows, shop, suppress

__all__ = ["client", "live", "live_database", "operator", "other_shop", "rows", "shop", "suppress"]
