"""The address for a session of the owner, to which row security shows the rows of all spaces.

FORCE holds the owner of the tables to the policies too. Such a session backs up, restores, scans, or serves a person.
"""

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from identity.store.postgres.shown_space import ALL_SPACES, SPACE_SETTING


def showing_all_spaces(url: str) -> str:
    """The same address, with the setting that shows all rows."""
    options = conninfo_to_dict(url).get("options") or ""
    return make_conninfo(url, options=f"{options} -c {SPACE_SETTING}={ALL_SPACES}".strip())
