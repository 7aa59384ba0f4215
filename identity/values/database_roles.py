"""The database roles that several packages name, each defined once."""

from typing import Final

APP_ROLE: Final = "onefold_app"
"""The role of the service, which is neither a superuser nor the owner of the tables."""
