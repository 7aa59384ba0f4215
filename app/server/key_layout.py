"""Warns where one folder holds root key and key store: a copy of the folder opens what was erased later."""

from app.server import logs
from app.settings import Settings

_log = logs.get(__name__)


def warn_of_shared_folder(settings: Settings) -> None:
    """A line in the log at the start; the production checklist says how to put them apart."""
    if share_a_folder(settings):
        _log.warning("keys.share_a_folder")


def share_a_folder(settings: Settings) -> bool:
    """Whether the data directory holds both the root key and the key store."""
    return settings.root_key is None and settings.key_folder.is_relative_to(settings.data_dir)
