"""Long cells that are judged for formulas, and written as CSV, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.tables.whole_values import BYTES_TYPE, TEXT_TYPE
from iris_quart.web.export.csv_writer import CsvWriter
from iris_quart.web.export.formulas import FormulaScan, defused
from iris_quart.web.export.writing import LongValue, cell_text

PIECES = st.lists(
    st.text(alphabet='a= -@+\t\r\n\x0b\x85\u2028\xa0\ufeff\u200b\uff1d"', max_size=6), max_size=6
)


@given(PIECES)
def test_pieces_are_judged_as_the_whole_text(pieces: list[str]) -> None:
    scan, whole = FormulaScan(), "".join(pieces)
    for piece in pieces:
        scan.look(cell_text(piece.encode(), TEXT_TYPE))
    assert scan.risky == (defused(whole) != whole)


def test_base64_that_begins_with_a_plus_is_judged() -> None:
    scan = FormulaScan()
    scan.look(cell_text(b"\xf8\x00\x00", BYTES_TYPE))
    assert scan.risky


@pytest.mark.parametrize(
    ("pieces", "media_type", "cell"),
    [
        ([b'a"b', b'"', "\u2028".encode()], TEXT_TYPE, '"a""b""\u2028"'),
        ([b"abc", b"def", b"g"], BYTES_TYPE, '"YWJjZGVmZw=="'),
    ],
)
async def test_pieces_join_to_one_quoted_cell(pieces: Sequence[bytes], media_type: str, cell: str) -> None:
    async def given_pieces() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    value = LongValue(given_pieces, media_type, risky=False)
    written = b"".join([part async for part in CsvWriter().long_row([1, value])])
    assert written.decode() == f"1,{cell}\r\n"
