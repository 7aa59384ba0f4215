"""`onefold migrate`: brings the database to the schema of this version, and makes a login role for servers."""

from urllib.parse import quote, urlsplit, urlunsplit

from rich.console import Console

from app.settings import Settings
from identity.store.postgres import login_role
from identity.store.postgres.schema import migrate
from identity.values.errors import Misconfigured

_EMBEDDED = (
    "The embedded database needs no login role: servers log in to it as onefold_app, which cannot become its owner. "
    "Set ONEFOLD_DATABASE_URL to the address of a database of your own, with its owner."
)
_out = Console(highlight=False, soft_wrap=True)


def run(url: str, settings: Settings, login: str | None) -> None:
    """Migrate as the owner; with `login` also make this role, and print the address for servers. Misconfigured."""
    if login is not None and settings.database_url is None:
        raise Misconfigured(_EMBEDDED)
    migrate(url)
    _out.print("The database is up to date.")
    if login is None:
        return
    password = settings.login_password.get_secret_value() if settings.login_password else None
    made = login_role.ensure(url, login, password)
    _out.print(f"Servers can log in as {made.name}, which cannot become the owner. Start them with:", markup=False)
    _out.print(f"ONEFOLD_DATABASE_URL={address_for(url, made)}", markup=False)
    if made.password is None:
        _out.print("Put its password in place of <password>.", markup=False)
    else:
        _out.print("Keep the address: no later command shows the password.")


def address_for(url: str, login: login_role.LoginRole) -> str:
    """The address of the same database for a login role, with its password where it was made up now."""
    parts = urlsplit(url)
    password = "<password>" if login.password is None else quote(login.password, safe="")
    kept = "&".join(each for each in parts.query.split("&") if each.partition("=")[0] not in ("user", "password"))
    hosts = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{login.name}:{password}@{hosts}", query=kept))
