"""Roles of the database that more than one package names."""

from typing import Final

APP_ROLE: Final = "onefold_app"
"""The role of the service: neither superuser nor owner of the tables."""
