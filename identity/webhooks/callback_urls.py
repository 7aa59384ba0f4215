"""Decides which addresses a customer may have called. Pure: no name is looked up here.

A callback is https, to a host with a name, on a port that is meant for it. Addresses in numbers
are refused in every spelling, since no name could be demanded of their certificate. What two
readers of a URL might read differently (user info, backslashes, blanks, fragments) is refused.
"""

import re
from collections.abc import Collection
from typing import Final

import idna
from msgspec import Struct

from identity.values.errors import BadCallback

PORTS: Final = frozenset({443, 8443})
LONGEST: Final = 2048
_LONGEST_NAME: Final = 253
_URL: Final = re.compile(
    r"(?i:https)://(?P<host>[^/?#\\@:\[\]\x00-\x20\x7f]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Callback(Struct, frozen=True):
    """An address in its parts: `host` as ASCII in lower case, `target` the path with its query."""

    host: str
    port: int
    target: str


def read_callback(url: object, ports: Collection[int] = PORTS) -> Callback:
    """The parts of an address that may be called, apart from where its name leads. BadCallback."""
    if not isinstance(url, str) or len(url) > LONGEST:
        raise BadCallback
    found = _URL.fullmatch(url)
    if not found:
        raise BadCallback
    port = int(found["port"] or 443)
    if port not in ports:
        raise BadCallback("A callback may use the ports " + ", ".join(map(str, sorted(ports))) + ".")
    target = found["target"] or "/"
    return Callback(_name(found["host"]), port, target if target.startswith("/") else "/" + target)


def _name(host: str) -> str:
    """A host name of at least two labels as it is looked up. BadCallback."""
    if len(host) > _LONGEST_NAME:
        raise BadCallback
    try:
        name = idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        raise BadCallback from None
    *labels, last = name.split(".")
    if not labels or not last or _NUMBER.fullmatch(last) or len(name) > _LONGEST_NAME:
        raise BadCallback
    return name
