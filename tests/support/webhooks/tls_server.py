"""A TLS server on loopback, with an authority and certificates of its own, that answers as a test decides."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from identity.webhooks.client import Client

HOST = "hooks.example.org"
LOOPBACK = IPv4Network("127.0.0.1/32")
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Authority:
    """Signs certificates; `trusting` is what a client needs to believe it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = {name: name == "key_cert_sign" for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )}  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(above, critical=False)
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.pem().decode())

    def pem(self) -> bytes:
        """Its certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def serving(self, host: str) -> ssl.SSLContext:
        """A server's context with a certificate for a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([]), key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        certificate = builder.sign(self._key, hashes.SHA256())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with TemporaryDirectory() as folder:
            pem = Path(folder) / "server.pem"
            secret = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            pem.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(pem)
        return context


@cache
def authority() -> Authority:
    """The authority of the run."""
    return Authority()


class Server:
    """A server that records whole requests, the names requested in TLS, and the number of connections."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.connections = 0
        self.port = 0

    def url(self, path: str = "/hook") -> str:
        """Its address by name."""
        return f"https://{HOST}:{self.port}{path}"


def telling(answer: bytes) -> Act:
    """Answers so, to everybody."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return act


@contextlib.asynccontextmanager
async def serving(act: Act, host: str = HOST, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run a server whose every connection reads one request and then acts."""
    server = Server()
    context = tls or authority().serving(host)
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        server.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            server.requests.append(head + await reader.readexactly(int(lengths[0].split(b":")[1])))
            await act(writer)
        writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


class Names:
    """A resolver that answers each lookup with the next of some lists, and counts."""

    def __init__(self, *found: Sequence[str]) -> None:
        self.found = list(found)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        """The next list; the last one for ever."""
        self.asked.append(host)
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


@contextlib.asynccontextmanager
async def client(server: Server, names: Names | None = None, **changed: Any) -> AsyncIterator[Client]:
    """A client that may call the server, and believes its authority."""
    settings: dict[str, Any] = {
        "resolve": names or Names(["127.0.0.1"]), "allowed": [LOOPBACK], "tls": authority().trusting(),
        "ports": {server.port},
    }  # fmt: skip
    calling = Client(**settings | changed)
    try:
        yield calling
    finally:
        await calling.aclose()
