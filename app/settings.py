"""The settings: read from the environment here and nowhere else, checked before anything starts.

Settings are frozen and complete. A bad one raises Misconfigured, which names the variable and what
it must be and never repeats a value. Secrets are kept out of the repr.
"""

import base64
import binascii
import os
import secrets
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from identity.values.errors import Misconfigured

PREFIX = "ONEFOLD_"
TOKEN_FILE = "admin-token"  # noqa: S105 the name of a file
ROOT_KEY_FILE = "root-key"
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the name that prometheus_client reads when it is imported
LEVELS = ("debug", "info", "warning", "error")

# The valid values of a variable, in the words of its refusal.
_HOST = "a host name or an address without scheme and port, like 127.0.0.1"
_DATABASE = "an address like postgresql://user:password@host:5432/database"
_TOKEN = "16 to 256 printable ASCII characters without a space; `openssl rand -hex 24` makes one"  # noqa: S105 no token
_ROOT_KEY = "32 bytes in base64; `openssl rand -base64 32` makes one"
_ADDRESS = "the address at which SDKs reach Onefold, like https://cdp.example.com"
_TOKEN_LENGTH = range(16, 257)
_ROOT_KEY_BYTES = 32


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError
    return value


def _level(value: str) -> str:
    if value.lower() not in LEVELS:
        raise ValueError
    return value.lower()


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) not in _TOKEN_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError
    return value


def _root_key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != _ROOT_KEY_BYTES:
        raise ValueError
    return value


def _path(value: Path) -> Path:
    if not str(value).strip() or "\0" in str(value):
        raise ValueError
    return value.expanduser().absolute()


def _list(value: Any) -> Any:
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


def _setting(default: Any, expected: str, **limits: Any) -> Any:
    return Field(default=default, description=expected, **limits)


def _whole(default: int, least: int, most: int) -> Any:
    return _setting(default, f"a whole number from {least} to {most}", ge=least, le=most)


_Whole = Annotated[int, BeforeValidator(_digits)]
_Level = Annotated[str, AfterValidator(_level)]
_Address = Annotated[str, AfterValidator(lambda text: text.rstrip("/"))]
_Token = Annotated[SecretStr, AfterValidator(_token)]
_RootKey = Annotated[SecretStr, AfterValidator(_root_key)]
_Path = Annotated[Path, AfterValidator(_path)]
_Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_list)]
_Port = Annotated[int, BeforeValidator(_digits), Field(ge=1, le=65_535)]
_Ports = Annotated[tuple[_Port, ...], NoDecode, BeforeValidator(_list)]


class Settings(BaseSettings):
    """Everything that can be set. The name of a variable is ONEFOLD_ and the name of the field.

    Arguments take precedence over variables. The description of a field states its valid values in a refusal.
    """

    model_config = SettingsConfigDict(
        alias_generator=variable,
        env_prefix=PREFIX,
        populate_by_name=True,
        case_sensitive=True,
        env_ignore_empty=True,
        validate_default=True,
        hide_input_in_errors=True,
        frozen=True,
    )

    host: str = _setting("127.0.0.1", _HOST, pattern=r"^[^/\s]+$")
    port: _Whole = _whole(8000, 0, 65_535)
    workers: _Whole = _whole(1, 1, 64)
    data_dir: _Path = _setting(Path("onefold-data"), "a path")
    database_url: str | None = _setting(None, _DATABASE, pattern="^postgres(ql)?://", repr=False)
    database_tls: str = _setting("required", "required or optional", pattern="^(required|optional)$")
    login_password: _Token | None = _setting(None, _TOKEN)
    admin_token: _Token | None = _setting(None, _TOKEN)
    root_key: _RootKey | None = _setting(None, _ROOT_KEY)
    new_root_key: _RootKey | None = _setting(None, _ROOT_KEY)
    key_store: _Path | None = _setting(None, "a path")
    public_url: _Address | None = _setting(None, _ADDRESS, pattern=r"^https?://[A-Za-z0-9.\-_\[\]:]{1,255}/?$")
    log_level: _Level = _setting("info", "one of " + ", ".join(LEVELS))
    connections: _Whole = _whole(4_000, 1, 1_000_000)
    address_connections: _Whole = _whole(1_000, 0, 1_000_000)
    queue_calls: _Whole = _whole(20_000, 1, 1_000_000)
    collect_rate: _Whole = _whole(1_000, 0, 1_000_000)
    read_rate: _Whole = _whole(1_000, 0, 1_000_000)
    miss_rate: _Whole = _whole(100, 0, 1_000_000)
    unknown_key_kib: _Whole = _whole(4_096, 0, 1_000_000)
    proxies: _Networks = _setting((), "one or more networks with commas between them, like 10.1.0.0/16,10.2.0.0/16")
    event_retention_days: _Whole = _whole(14, 1, 3_650)
    message_retention_days: _Whole = _whole(8, 1, 3_650)
    key_backup_days: _Whole = _whole(7, 1, 3_650)
    feed_retention_days: _Whole = _whole(30, 1, 3_650)
    export_dir: _Path | None = _setting(None, "a path")
    callback_networks: _Networks = _setting(
        (), "one or more networks with commas between them, like 10.1.0.0/16,10.2.0.0/16"
    )
    callback_ports: _Ports = _setting((), "one or more ports with commas between them, like 8444,9443")
    callback_ca: _Path | None = _setting(None, "a path")

    @property
    def key_folder(self) -> Path:
        """Where the epoch keys are kept."""
        return self.key_store or self.data_dir / "keys"

    @property
    def root_key_file(self) -> Path:
        """The file of the root key, for where ONEFOLD_ROOT_KEY does not give it."""
        return self.data_dir / ROOT_KEY_FILE

    @property
    def root_value(self) -> str | None:
        """The root key as text where ONEFOLD_ROOT_KEY gives it."""
        return self.root_key.get_secret_value() if self.root_key else None

    @property
    def new_root_value(self) -> str | None:
        """The root key that `onefold keys rotate-root` puts in its place, as text."""
        return self.new_root_key.get_secret_value() if self.new_root_key else None

    def with_admin_token(self) -> Self:
        """The same, with the operator token of the data directory where none was set.

        The token is made at the first start (mode 0600) and read again at every later one.
        """
        if self.admin_token:
            return self
        path = self.data_dir / TOKEN_FILE
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            token = _token(SecretStr(_kept(path, secrets.token_urlsafe(32))))
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as refused:
            raise Misconfigured(
                f"{self.data_dir} is no directory and cannot become one; choose another: ONEFOLD_DATA_DIR, --data-dir."
            ) from refused
        except OSError as refused:
            raise Misconfigured(
                f"{path} cannot be read or written; make it accessible, or set ONEFOLD_ADMIN_TOKEN."
            ) from refused
        except ValueError:
            raise Misconfigured(f"The operator token in {path} must be {_TOKEN}. Replace it.") from None
        return self.model_copy(update={"admin_token": token})

    def publish(self) -> None:
        """Put these settings into the environment, where the worker processes load them."""
        for name, value in self:
            if text := _text(value):
                os.environ[variable(name)] = text
            else:
                os.environ.pop(variable(name), None)


def load() -> Settings:
    """Read the settings from the environment; an empty variable counts as not set.

    Raises Misconfigured for a bad value and for an ONEFOLD_ variable that is not a setting: it is
    misspelt, and ignoring it could start an unsafe server.
    """
    known = {variable(name): field for name, field in Settings.model_fields.items()}
    for name, text in os.environ.items():
        if name.startswith(PREFIX) and text and name not in known:
            raise Misconfigured(
                f"{name} is not a setting of Onefold; correct or unset it. Settings are {', '.join(sorted(known))}."
            )
    try:
        return Settings()
    except ValidationError as wrong:
        name = str(wrong.errors()[0]["loc"][0])
        raise Misconfigured(f"{name} must be {known[name].description}.") from None


def share_metrics(folder: str | None) -> None:
    """Let the worker processes keep their metrics in one folder; without one each keeps its own in memory."""
    if folder is None:
        os.environ.pop(METRICS_VARIABLE, None)
    else:
        os.environ[METRICS_VARIABLE] = folder


def metrics_folder() -> Path | None:
    """The folder of the metrics of all workers; None for a single one."""
    folder = os.environ.get(METRICS_VARIABLE)
    return Path(folder) if folder else None


def forget_libpq() -> None:
    """Drop PGHOST and its kin, which would lead connections to the embedded server astray."""
    for name in [name for name in os.environ if name.startswith("PG") and name.isupper()]:
        del os.environ[name]


def forget_root_keys() -> None:
    """Drop the root keys from the environment of this process, once its settings are read.

    The password that only `onefold migrate` needs goes too.
    """
    for name in ("root_key", "new_root_key", "login_password"):
        os.environ.pop(variable(name), None)


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _kept(path: Path, fresh: str) -> str:
    """What the file holds; it is made with `fresh` (whole or not at all) where there is none."""
    if not path.exists():
        draft = path.with_name(f".{path.name}-{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # unlike a rename, this never replaces another process's token
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
