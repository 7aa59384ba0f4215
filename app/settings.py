"""The settings: read from the environment here and nowhere else, checked before anything starts.

A value is frozen and complete; a bad one raises Misconfigured, which names the variable and what
to do and never repeats a value. Secrets are kept out of the repr.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self

from identity.values.errors import Misconfigured

PREFIX = "ONEFOLD_"
TOKEN_FILE = "admin-token"  # noqa: S105 the name of a file
ROOT_KEY_FILE = "root-key"
LEVELS = ("debug", "info", "warning", "error")

_TOKEN_LENGTH = range(16, 257)
_ROOT_KEY_BYTES = 32
_DATABASES = ("postgresql://", "postgres://")


def _port(text: str) -> int:
    return _number(text, 0, 65_535)


def _rate(text: str) -> int:
    return _number(text, 0, 1_000_000)


def _count(text: str) -> int:
    return _number(text, 1, 1_000_000)


def _days(text: str) -> int:
    return _number(text, 1, 3_650)


def _workers(text: str) -> int:
    return _number(text, 1, 64)


def _number(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return int(text)


def _token(text: str) -> str:
    if len(text) not in _TOKEN_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("16 to 256 printable ASCII characters without a space: openssl rand -hex 24")
    return text


def _database(text: str) -> str:
    if not text.startswith(_DATABASES):
        raise ValueError("an address like postgresql://user:password@host:5432/database")
    return text


def _root_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _ROOT_KEY_BYTES:
        raise ValueError("32 bytes in base64: openssl rand -base64 32")
    return key


def _level(text: str) -> str:
    if text.lower() not in LEVELS:
        raise ValueError("one of " + ", ".join(LEVELS))
    return text.lower()


def _host(text: str) -> str:
    if not text.strip() or any(mark in text for mark in "/ "):
        raise ValueError("a host name or an address without scheme and port, like 127.0.0.1")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-_\[\]:]{1,255}/?", text):
        raise ValueError("the address that clients know, like https://cdp.example.com")
    return text.rstrip("/")


def _networks(text: str) -> str:
    try:
        return ",".join(str(ip_network(each.strip())) for each in text.split(","))
    except ValueError:
        raise ValueError("networks with commas between, like 10.1.0.0/16") from None


def _ports(text: str) -> str:
    return ",".join(str(_number(each.strip(), 1, 65_535)) for each in text.split(","))


def _folder(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError("a path")
    return Path(text).expanduser().absolute()


def _setting(read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"read": read})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. The name of a variable is ONEFOLD_ and the name of the field."""

    host: str = _setting(_host, "127.0.0.1")
    port: int = _setting(_port, 8000)
    workers: int = _setting(_workers, 1)
    data_dir: Path = _setting(_folder, Path("onefold-data"))
    database_url: str | None = _setting(_database, None, secret=True)
    admin_token: str | None = _setting(_token, None, secret=True)
    root_key: bytes | None = _setting(_root_key, None, secret=True)
    new_root_key: bytes | None = _setting(_root_key, None, secret=True)
    key_store: Path | None = _setting(_folder, None)
    public_url: str | None = _setting(_address, None)
    log_level: str = _setting(_level, "info")
    connections: int = _setting(_count, 4_000)
    queue_calls: int = _setting(_count, 20_000)
    collect_rate: int = _setting(_rate, 1_000)
    read_rate: int = _setting(_rate, 1_000)
    miss_rate: int = _setting(_rate, 100)
    event_retention_days: int = _setting(_days, 14)
    message_retention_days: int = _setting(_days, 8)
    key_backup_days: int = _setting(_days, 7)
    feed_retention_days: int = _setting(_days, 30)
    export_dir: Path | None = _setting(_folder, None)
    callback_networks: str | None = _setting(_networks, None)
    callback_ports: str | None = _setting(_ports, None)
    callback_ca: Path | None = _setting(_folder, None)

    @property
    def key_folder(self) -> Path:
        """Where the epoch keys lie."""
        return self.key_store or self.data_dir / "keys"

    @property
    def called_networks(self) -> list[IPv4Network | IPv6Network]:
        """Networks in which callbacks may be though they are not public."""
        return [ip_network(each) for each in (self.callback_networks or "").split(",") if each]

    @property
    def called_ports(self) -> set[int]:
        """Ports that callbacks may use besides the usual ones."""
        return {int(each) for each in (self.callback_ports or "").split(",") if each}

    @property
    def root_key_file(self) -> Path:
        """Where the root key lies unless it is given in ONEFOLD_ROOT_KEY."""
        return self.data_dir / ROOT_KEY_FILE

    @property
    def root_value(self) -> str | None:
        """The root key as text where it is given in ONEFOLD_ROOT_KEY."""
        return _text(self.root_key)

    @property
    def new_root_value(self) -> str | None:
        """The root key that `onefold keys rotate-root` puts in its place, as text."""
        return _text(self.new_root_key)

    def with_admin_token(self) -> Self:
        """The same, with the operator token of the data directory where none was set.

        It is made at the first start (mode 0600) and read again at every later one.
        """
        if self.admin_token:
            return self
        path = self.data_dir / TOKEN_FILE
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            token = _kept(path, secrets.token_urlsafe(32))
            return replace(self, admin_token=_token(token))
        except OSError as refused:
            raise Misconfigured(f"The operator token cannot be kept in {path}.") from refused
        except ValueError as wrong:
            raise Misconfigured(f"The operator token in {path} must be {wrong}") from wrong

    def publish(self) -> None:
        """Put these settings into the environment, where the worker processes load them."""
        for each in fields(self):
            name, value = PREFIX + each.name.upper(), getattr(self, each.name)
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; an empty variable counts as not set.

    Raises Misconfigured for a bad value and for an ONEFOLD_ variable that means nothing (it is
    misspelt, and ignoring it could start an unsafe server).
    """
    given = os.environ if environment is None else environment
    readers = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not name.startswith(PREFIX) or not text:
            continue
        if name not in readers:
            raise Misconfigured(f"{name} is not a setting of Onefold; known are {', '.join(sorted(readers))}.")
        known = readers[name]
        try:
            values[known.name] = known.metadata["read"](text)
        except ValueError as wrong:
            raise Misconfigured(f"{name} must be {wrong}.") from None
    settings = Settings(**values)
    return replace(settings, data_dir=settings.data_dir.absolute())


def forget_libpq() -> None:
    """Drop PGHOST and its kin, which would lead connections to the embedded server astray."""
    for name in [name for name in os.environ if name.startswith("PG") and name.isupper()]:
        del os.environ[name]


def _text(key: bytes | None) -> str | None:
    return None if key is None else base64.b64encode(key).decode()


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
