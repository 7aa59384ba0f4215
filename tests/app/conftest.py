"""What tests use of the shared server beside its fixtures."""

from tests.support.http.shared_server import (
    AUDIT,
    PURPOSES,
    Deployment,
    Shop,
    Suppress,
    log_of,
    new_shop,
    until,
)

__all__ = ["AUDIT", "PURPOSES", "Deployment", "Shop", "Suppress", "log_of", "new_shop", "until"]
