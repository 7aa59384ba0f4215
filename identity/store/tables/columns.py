"""Declares columns, so that a table reads as a list of names and types."""

from typing import Any

from sqlalchemy import LargeBinary, text
from sqlmodel import Field

HOT = {"postgresql_with": {"fillfactor": "80"}}
"""Room on each page for updates that touch no index."""


def primary(type_: Any = LargeBinary) -> Any:
    """A column of the primary key, in the order of declaration."""
    return Field(primary_key=True, sa_type=type_, sa_column_kwargs={"autoincrement": False})


def column(type_: Any, *, null: bool = False, default: str | None = None) -> Any:
    """Any other column."""
    kwargs = {} if default is None else {"server_default": text(default)}
    return Field(default=None, sa_type=type_, nullable=null, sa_column_kwargs=kwargs)
