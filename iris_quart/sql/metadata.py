"""Tables and columns as the catalogue describes them, and what follows for reading and writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from iris_quart.errors import InvalidInput

from .identifiers import ROW_ID, QualifiedName
from .values import Category

__all__ = [
    "Column",
    "ForeignKey",
    "Identity",
    "IdentityKind",
    "Reference",
    "Table",
    "TableEntry",
    "TableKind",
]

WHOLE_TEXT = 1000
"""Text columns that are declared longer than this are read up to it; longer values are shown as previews."""

BINARY_REASON = "Binary values are changed as a whole, not in a cell: open the value to do so."


class TableKind(StrEnum):
    """Kind of an entry in the list of tables."""

    TABLE = "table"
    VIEW = "view"
    SYSTEM = "system"


class IdentityKind(StrEnum):
    """Kind of identity of a table's rows."""

    ROW_ID = "rowId"
    PRIMARY_KEY = "primaryKey"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a row; `columns` are those that show it, none for a hidden row ID."""

    kind: IdentityKind
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """The column that a foreign key of one column points to."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key, its columns beside those they point to."""

    name: str
    columns: tuple[str, ...]
    schema: str
    table: str
    referenced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or view."""

    name: str
    data_type: str
    category: Category
    nullable: bool = True
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    read_only_reason: str | None = None
    has_default: bool = False
    unique: bool = False
    is_primary_key: bool = False
    is_identity: bool = False
    is_row_version: bool = False
    is_open_moment: bool = False
    """Whether it holds no value that shows if it is a TIMESTAMP or a POSIXTIME: the catalogue spells both alike."""
    description: str | None = None
    references: Reference | None = None
    sql: str = field(default="", compare=False)
    """The name, quoted."""

    @property
    def editable(self) -> bool:
        """Whether a cell of it can be changed."""
        return self.read_only_reason is None

    @property
    def replaceable(self) -> bool:
        """Whether its value can be changed as a whole, though perhaps not in a cell."""
        return self.editable or self.read_only_reason == BINARY_REASON

    @property
    def may_be_cut(self) -> bool:
        """Whether its longer values travel as previews."""
        return self.category is Category.LONG_TEXT or (
            self.category is Category.TEXT and (self.max_length is None or self.max_length > WHOLE_TEXT)
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view with all that is known about it."""

    namespace: str
    schema: str
    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    identity: Identity
    description: str | None = None
    read_only_reason: str | None = None
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """Columns of the primary key first, if there is one, then of each unique constraint."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_version: str | None = None
    """The column that IRIS counts up at each change of the row."""
    timestamps_settled: bool = True
    """False while a column shown as a timestamp may be a POSIXTIME: the catalogue spells both alike."""
    row_id: str = ROW_ID
    """Expression that addresses a row in a statement: %ID, or in a view the column that shows it."""
    base: QualifiedName | None = None
    """The table behind a view that can be changed."""
    _by_name: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    @property
    def full_name(self) -> str:
        """Schema and name, as it travels on the wire."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Schema and name, quoted."""
        return QualifiedName(self.schema, self.name).sql

    @property
    def behind(self) -> Table:
        """The table behind a view that can be changed, as far as the view shows it; any other table itself.

        There a change is proved: a row may leave a view by being changed.
        """
        if self.base is None:
            return self
        return replace(self, schema=self.base.schema, name=self.base.name, base=None)

    @property
    def has_row_id(self) -> bool:
        """Whether %ID addresses its rows."""
        return self.identity.kind is IdentityKind.ROW_ID

    def find(self, name: str) -> Column | None:
        """Return a column by its name, in any letter case, as IRIS takes it."""
        if not self._by_name:
            self._by_name.update((column.name.lower(), column) for column in self.columns)
        return self._by_name.get(name.lower())

    def column(self, name: str, *, field: str | None = None) -> Column:
        """Return a column by its name. Raises InvalidInput naming `field`."""
        column = self.find(name)
        if column is None:
            raise InvalidInput(f"{self.full_name} has no column {name[:128]!r}.", field=field)
        return column

    def with_timestamps(self, posixtimes: Iterable[str], without_value: Iterable[str] = ()) -> Table:
        """Return the table with its POSIXTIME columns named, and those that hold no value to tell by."""
        names, open_names = set(posixtimes), set(without_value)
        columns = tuple(
            replace(column, category=Category.POSIXTIME)
            if column.name in names
            else replace(column, is_open_moment=column.name in open_names)
            for column in self.columns
        )
        return replace(self, columns=columns, timestamps_settled=True, _by_name={})


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One line of a namespace's list of tables."""

    schema: str
    name: str
    kind: TableKind
    is_base_table: bool
    description: str | None = None

    @property
    def full_name(self) -> str:
        """Schema and name, as it travels on the wire."""
        return f"{self.schema}.{self.name}"
