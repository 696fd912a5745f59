"""The private parts of Hypercorn that we lean on; when one has moved, this says so before an attacker does."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from importlib.metadata import version

import hypercorn.asyncio.run as run
import hypercorn.logging as stock_logging
import hypercorn.protocol.ws_stream as streams
import pytest
from hypercorn.asyncio import task_group
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol
from quart import Quart
from wsproto.connection import Connection as WebsocketConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from iris_quart.live.patches import bounds as hardened
from iris_quart.live.patches.frames import text_frame_head
from iris_quart.live.patches.limits import SocketLimits
from iris_quart.live.patches.wire import FULL_BYTES, wire_of
from tests.live.conftest import Start

HANDLING = "0a473b74e150baffc8d45cffc02bedb9d7a4162c84e39d104fd4f760998975cb"
REPLACED = (
    inspect.getsource(streams.WSStream).partition("async def _handle_events")[2].partition("async def")[0]
)
"""Read when this module is collected; what replaces it must do all that it does."""
SPAWNING = "cc0dd3cddb79d4cc4d4404f85a28ea2f372813566744a721ea71b1222da4dfbf"
SPAWN_APP = inspect.getsource(task_group).partition("async def _handle")[2].partition("def spawn(")[0]
"""The same for the queue between Hypercorn and the application."""


@pytest.fixture(autouse=True)
def hardened_process() -> None:
    hardened.harden(Quart("test", static_folder=None), SocketLimits(message_length=10))


def test_the_release_is_the_one_that_was_read() -> None:
    assert version("hypercorn").startswith("0.18.")


def test_the_parts_are_where_they_were() -> None:
    assert "server_extensions_handshake(" in inspect.getsource(streams.Handshake.accept)
    assert f"await self.{hardened.CHECK_PROTOCOL}(event)" in inspect.getsource(H11Protocol)
    assert "await self._handle_events()" in inspect.getsource(hardened._stock_handle)
    assert "self.app_send" in inspect.getsource(hardened._stock_handle)
    assert "self.stream_send" in inspect.getsource(H11Protocol._create_stream)
    assert "self.protocol_send" in inspect.getsource(hardened._stock_run)
    assert "self.writer.write(" in inspect.getsource(hardened._stock_protocol_send)
    assert "await self.writer.drain()" in inspect.getsource(hardened._stock_protocol_send)
    assert "self.alpn_protocols" in inspect.getsource(Config.create_ssl_context)
    assert "config.graceful_timeout" in inspect.getsource(run.worker_serve)
    assert "_create_logger(" in inspect.getsource(stock_logging.Logger.__init__)


def test_what_is_replaced_as_a_whole_is_what_was_read() -> None:
    assert hashlib.sha256(REPLACED.encode()).hexdigest() == HANDLING
    assert hashlib.sha256(SPAWN_APP.encode()).hexdigest() == SPAWNING


def test_nothing_is_negotiated() -> None:
    headers = [
        (b"sec-websocket-key", b"AAAAAAAAAAAAAAAAAAAAAA=="),
        (b"sec-websocket-version", b"13"),
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade"),
        (b"sec-websocket-extensions", b"permessage-deflate"),
    ]
    _, answer, _ = streams.Handshake(headers, "1.1").accept(None, [])
    assert b"sec-websocket-extensions" not in dict(answer)


@pytest.mark.parametrize(
    "event",
    [TextMessage(data="x" * 6, message_finished=False), BytesMessage(data=b"x" * 6, message_finished=False)],
)
def test_a_message_is_measured_before_it_is_stored(event: TextMessage | BytesMessage) -> None:
    buffer = streams.WebsocketBuffer(10)
    buffer.extend(event)
    with pytest.raises(streams.FrameTooLargeError):
        buffer.extend(event)
    assert buffer.value is None
    assert buffer.length < 0


def test_errors_of_hypercorn_go_through_our_logs_unless_sent_to_a_file() -> None:
    config = Config()
    logger = config.log.error_logger
    assert logger is not None
    assert logger.name == "hypercorn.error"
    assert logger.handlers == []


def test_no_wire_under_another_server() -> None:
    async def send(_message: object) -> None:
        """Send nothing."""

    assert wire_of(send) is None


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
def test_our_text_frame_is_the_one_that_wsproto_writes(length: int) -> None:
    text = "x" * length
    theirs = WebsocketConnection(ConnectionType.SERVER).send(TextMessage(data=text))
    assert text_frame_head(length) + text.encode() == theirs


def test_what_tells_that_a_socket_is_open_is_where_it_was() -> None:
    assert "self.state == ASGIWebsocketState.CONNECTED" in inspect.getsource(streams.WSStream.app_send)
    assert "self.closed" in inspect.getsource(streams.WSStream.app_send)
    connection = WebsocketConnection(ConnectionType.SERVER)
    assert connection.state is ConnectionState.OPEN
    connection.send(CloseConnection(code=1000))
    assert connection.state is not ConnectionState.OPEN


SMUGGLED = (
    b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@pytest.mark.live
@pytest.mark.parametrize(("said", "status"), [(SMUGGLED, b"200"), (PREFACE, b"404")], ids=["h2c", "preface"])
@pytest.mark.parametrize("own", [True, False], ids=["serve", "hypercorn"])
async def test_http_2_in_clear_is_not_spoken(start: Start, said: bytes, status: bytes, own: bool) -> None:
    """A proxy that passes an upgrade on would become a tunnel, and what it sets in requests could be made up."""
    server = await asyncio.to_thread(lambda: start(own=own))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(said)
    async with asyncio.timeout(10):
        assert (await reader.readline()).split(b" ")[:2] == [b"HTTP/1.1", status]
    writer.close()
    await writer.wait_closed()


async def test_the_writer_waits_from_where_a_wire_is_full() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limits.append(writer.transport.get_write_buffer_limits())
        writer.close()

    limits: list[tuple[int, int]] = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read()
        writer.close()
        await writer.wait_closed()
    assert [high for _low, high in limits] == [FULL_BYTES]


def test_what_tells_that_nothing_of_a_message_is_held_is_where_it_was() -> None:
    connection = WebsocketConnection(ConnectionType.SERVER)
    frames, messages = connection._proto._frame_decoder, connection._proto._message_decoder

    def idle() -> bool:
        return frames.header is None and not len(frames.buffer) and messages.opcode is None

    client = WebsocketConnection(ConnectionType.CLIENT)
    part, rest = client.send(TextMessage("part", message_finished=False)), client.send(TextMessage("rest"))
    for data, afterwards in ((part[:3], False), (part[3:8], False), (part[8:], False), (rest, True)):
        assert idle() is (data is part[:3] or data == part[:3])
        connection.receive_data(data)
        list(connection.events())
        assert idle() is afterwards
    assert "await self._handle_events()" in inspect.getsource(hardened._stock_handle)
    assert '"websocket.connect"' in inspect.getsource(hardened._stock_handle)


async def test_bytes_of_a_connection_go_through_its_reader() -> None:
    assert "self._stream_reader" in inspect.getsource(asyncio.StreamReaderProtocol.data_received)
    assert "reader.feed_data(data)" in inspect.getsource(asyncio.StreamReaderProtocol.data_received)
    assert "self.reader.read(" in inspect.getsource(TCPServer._read_data)
    reader = asyncio.StreamReader()
    assert not reader._buffer  # type: ignore[attr-defined]
    reader.feed_data(b"x")
    assert reader._buffer == b"x"  # type: ignore[attr-defined]
    assert "feed_data" not in vars(reader)
