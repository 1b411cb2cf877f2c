"""How connections come in: over TCP and TLS, one after the other and all at once, and what is done with half of one."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from spotbook.domain.address import Networks
from spotbook.limits import ACCEPTED_A_TURN_MAX
from spotbook.server.door import Door
from spotbook.server.http import acceptor
from spotbook.server.http.wire import WireProtocol
from support.listening import WAIT_SECONDS, Served, serve, told

LAST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
PER_ADDRESS = 3

pytestmark = pytest.mark.parametrize("loops", [asyncio.new_event_loop, uvloop.new_event_loop])

Loops = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return uvicorn's options of a listener that speaks TLS."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"ssl_certfile": str(folder / "certificate.pem"), "ssl_keyfile": str(folder / "key.pem")}


async def spoken(port: int, *, tls: bool) -> bytes:
    """Ask once on a connection of one's own; return the reply."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if tls else None
    if context:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(WAIT_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(LAST)
        reply = await reader.read()
        writer.close()
        return reply


async def silent(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and begin no handshake."""
    return await asyncio.open_connection("127.0.0.1", port)


async def until_closed(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


@pytest.mark.parametrize("tls", [False, True])
def test_a_crowd_that_comes_at_once_gets_in(loops: Loops, certified: dict[str, Any], *, tls: bool) -> None:
    crowd = 40 * ACCEPTED_A_TURN_MAX

    async def tell(served: Served) -> None:
        replies = await asyncio.gather(*(spoken(served.port, tls=tls) for _ in range(crowd)))
        assert [told(reply) for reply in replies] == [(200, "hi")] * crowd

    serve(WireProtocol, tell, loops=loops, **(certified if tls else {}))


def test_a_handshake_that_does_not_begin_is_cut_off(
    loops: Loops, certified: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor, "REQUEST_SECONDS_MAX", 0.3)

    async def tell(served: Served) -> None:
        reader, writer = await silent(served.port)
        await until_closed(reader)
        writer.close()
        assert told(await spoken(served.port, tls=True)) == (200, "hi")

    serve(WireProtocol, tell, loops=loops, **certified)


def test_one_address_may_have_so_many_handshakes_going_on_beside_its_connections(
    loops: Loops, certified: dict[str, Any]
) -> None:
    door = Door(100, PER_ADDRESS, Networks(()))

    async def tell(served: Served) -> None:
        held = [await silent(served.port) for _ in range(PER_ADDRESS)]
        reader, writer = await silent(served.port)
        await until_closed(reader)
        writer.close()
        assert (door.open, door.refused) == (0, 1)
        held.pop()[1].close()
        async with asyncio.timeout(WAIT_SECONDS):
            while not (reply := await let_in(served.port)):  # noqa: ASYNC110  (what is awaited is a place at the door)
                await asyncio.sleep(0.01)
        assert told(reply) == (200, "hi")
        for _, silent_one in held:
            silent_one.close()

    serve(WireProtocol, tell, door=door, loops=loops, **certified)


async def let_in(port: int) -> bytes:
    """Ask over TLS; return nothing when the place of a handshake that has ended was not free yet."""
    try:
        return await spoken(port, tls=True)
    except ConnectionError:
        return b""


def test_who_speaks_no_tls_is_cut_off(loops: Loops, certified: dict[str, Any]) -> None:
    async def tell(served: Served) -> None:
        assert b"200" not in await served.talk(LAST)
        assert told(await spoken(served.port, tls=True)) == (200, "hi")

    serve(WireProtocol, tell, loops=loops, **certified)


def test_a_listener_that_ends_cuts_off_whose_handshake_goes_on(loops: Loops, certified: dict[str, Any]) -> None:
    held: list[socket.socket] = []

    async def tell(served: Served) -> None:
        client = socket.create_connection(("127.0.0.1", served.port))
        client.settimeout(WAIT_SECONDS)
        held.append(client)
        await asyncio.sleep(0.1)

    serve(WireProtocol, tell, loops=loops, **certified)
    assert held[0].recv(1) == b""
    held[0].close()
