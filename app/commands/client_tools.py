"""The client programs of PostgreSQL that belong to the database of the settings."""

from app.settings import Settings
from identity.store.backup.client_tools import ClientTools, find_tools, server_major


def tools_for(url: str, settings: Settings, *, at_least: int = 0) -> ClientTools:
    """The programs that come with the embedded server, or installed ones that fit the server. Misconfigured.

    `at_least` is a major version that they have to have besides.
    """
    needed = max(server_major(url), at_least)
    if settings.database_url:
        return find_tools(needed)
    from identity.store.embedded.data_directory import locate

    return find_tools(needed, locate(settings.data_dir.expanduser().resolve()).programs / "bin")
