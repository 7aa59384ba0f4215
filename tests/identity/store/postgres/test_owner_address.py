"""The address of a session of the owner shows the rows of all spaces."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from identity.store.postgres.owner_address import showing_all_spaces
from tests.concurrency.properties.conftest import url

__all__ = ["url"]


@pytest.mark.parametrize("options", ["", "?options=-c%20work_mem%3D9MB"])
def test_a_session_shows_all_spaces_and_keeps_its_own_options(url: str, options: str) -> None:
    """The settings of the session, as the server has them."""
    separator = options.replace("?", "&") if "?" in url else options
    with psycopg.connect(showing_all_spaces(url + separator)) as session:
        assert session.execute("SHOW onefold.space").fetchone() == ("*",)
        assert session.execute("SHOW work_mem").fetchone() == ("9MB" if options else "4MB",)


def test_the_rest_of_the_address_stays() -> None:
    """Host, user, password and database."""
    before = conninfo_to_dict("postgresql://ann:p%40ss@db.example:6432/onefold?sslmode=verify-full")
    after = conninfo_to_dict(showing_all_spaces("postgresql://ann:p%40ss@db.example:6432/onefold?sslmode=verify-full"))
    assert {name: value for name, value in after.items() if name != "options"} == before
