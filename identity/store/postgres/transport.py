"""Decides whether a connection to Postgres is safe: on this host, or to a server that proves who it is.

Somebody between Onefold and its database reads and writes every row. Only `sslmode=verify-full` keeps that out:
weaker modes encrypt, but to any server.
"""

from ipaddress import ip_address
from typing import Final

import psycopg
from psycopg import pq

from identity.values.errors import Misconfigured

UNPROTECTED: Final = (
    "The database in ONEFOLD_DATABASE_URL is on another host, and the connection to it does not verify the server. Add "
    "sslmode=verify-full to the address (and sslrootcert with the authority of the server), or set "
    "ONEFOLD_DATABASE_TLS=optional where nobody else can reach the network between the two."
)
_VERIFIED: Final = "verify-full"
_BAD_URL: Final = "ONEFOLD_DATABASE_URL must be an address like postgresql://user:password@host:5432/database."


def is_protected(url: str) -> bool:
    """Whether every host of an address is this one, or has to prove who it is. Misconfigured for no address."""
    given = _parameters(url)
    if given.get("sslmode") == _VERIFIED:
        return True
    hosts = (given.get("hostaddr") or given.get("host") or "").split(",")
    return all(_is_local(host.strip()) for host in hosts)


def _parameters(url: str) -> dict[str, str]:
    """What libpq connects with: the address, and PGHOST and its kin where the address is silent."""
    try:
        parsed = pq.Conninfo.parse(url.encode())
    except psycopg.Error:
        raise Misconfigured(_BAD_URL) from None
    named = {each.keyword.decode(): each.val.decode() for each in pq.Conninfo.get_defaults() if each.val is not None}
    return named | {each.keyword.decode(): each.val.decode() for each in parsed if each.val is not None}


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
