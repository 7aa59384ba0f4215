"""Refuses a database on another host whose server does not have to prove who it is, unless the operator allows it."""

from app.server import logs
from app.settings import Settings
from identity.store.postgres.transport import UNPROTECTED, is_protected
from identity.values.errors import Misconfigured

_log = logs.get(__name__)


def require_protected(settings: Settings) -> None:
    """Misconfigured for such a database; a warning where ONEFOLD_DATABASE_TLS is `optional`."""
    if settings.database_url is None or is_protected(settings.database_url):
        return
    if settings.database_tls == "required":
        raise Misconfigured(UNPROTECTED)
    _log.warning("database.unverified")
