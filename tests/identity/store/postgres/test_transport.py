"""Attack 161: a connection to another host is only taken where the server has to prove who it is."""

import pytest

from identity.store.postgres.transport import is_protected
from identity.values.errors import Misconfigured

LOCAL = [
    "postgresql:///d",
    "postgresql://u@/d?host=/tmp/socket",
    "postgresql://u@/d?host=%2Ftmp%2Fsocket&port=5432",
    "postgresql://u@localhost/d",
    "postgresql://u@LocalHost:5433/d",
    "postgresql://u@127.0.0.1/d",
    "postgresql://u@[::1]/d",
    "postgresql://u@db.example.com/d?hostaddr=127.0.0.1",
    "postgresql://localhost,127.0.0.1/d",
]
REMOTE = [
    "postgresql://u:p@db/d",
    "postgresql://u:p@10.0.0.7/d",
    "postgresql://[fd00::1]/d",
    "postgresql://localhost,db/d",
    "postgresql://localhost.example.com/d",
    "postgresql://127.0.0.1.example.com/d",
    "postgresql://localhost/d?hostaddr=10.0.0.7",
    "postgresql:///d?host=db",
]


@pytest.fixture(autouse=True)
def no_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of libpq says anything."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("url", LOCAL)
def test_a_database_on_this_host_needs_no_tls(url: str) -> None:
    """Nobody is between."""
    assert is_protected(url)


@pytest.mark.parametrize("url", REMOTE)
def test_attack_161_a_database_on_another_host_has_to_prove_itself(url: str) -> None:
    """Every weaker mode is refused, for one of several hosts too."""
    assert not is_protected(url)
    joint = "&" if "?" in url else "?"
    for mode in ("disable", "allow", "prefer", "require", "verify-ca"):
        assert not is_protected(f"{url}{joint}sslmode={mode}")
    assert is_protected(f"{url}{joint}sslmode=verify-full")


def test_the_variables_of_libpq_count_where_the_address_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As libpq takes them; the address goes before."""
    monkeypatch.setenv("PGHOST", "db")
    assert not is_protected("postgresql:///d")
    assert is_protected("postgresql://localhost/d")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert is_protected("postgresql:///d")
    assert not is_protected("postgresql:///d?sslmode=require")


def test_what_is_no_address_is_refused() -> None:
    """Without a word of it in the message."""
    with pytest.raises(Misconfigured) as caught:
        is_protected("postgresql://u:secret@h/d?nonsense=1")
    assert "secret" not in str(caught.value)
