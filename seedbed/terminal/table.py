"""Tables that are whole at any width: the least important columns are left out until the others fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .text import printable

WIDEST = 1000


@dataclass(frozen=True)
class Column:
    """A column's title, and when it is left out: the one with the lowest `rank` first, none that has no rank.

    Its cells are never broken unless it `wraps`, between words.
    """

    title: str
    rank: int | None = None
    wraps: bool = False
    right: bool = False


@dataclass(frozen=True)
class Row:
    """A row's cells, one for each column, in a style; `begins_section` draws a line above."""

    cells: Sequence[str]
    style: str | None = None
    begins_section: bool = False


@dataclass(frozen=True)
class FittedTable:
    """A table with as many of its columns as fit. Print it with `crop=False`."""

    columns: Sequence[Column]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table; where even the columns without a rank don't fit, a line for each row."""
        for places in self._choices():
            table = self._table(places)
            if fits(table, console, options):
                yield table
                return
        for row in self.rows:
            line = "  ".join(printable(row.cells[place]) for place in places)
            yield Text(line, style=row.style or "", no_wrap=True, overflow="ignore")

    def fits(self, console: Console, options: ConsoleOptions) -> bool:
        """Whether all columns fit."""
        return fits(self._table(range(len(self.columns))), console, options)

    def _choices(self) -> Iterator[list[int]]:
        """The places of the columns to show, fewer each time."""
        ranks = sorted({column.rank for column in self.columns if column.rank is not None})
        for lowest in (0, *(rank + 1 for rank in ranks)):
            yield [place for place, column in enumerate(self.columns) if column.rank is None or column.rank >= lowest]

    def _table(self, places: Sequence[int]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
        for column in (self.columns[place] for place in places):
            table.add_column(column.title, no_wrap=not column.wraps, justify="right" if column.right else "left")
        for row in self.rows:
            if row.begins_section:
                table.add_section()
            table.add_row(*(row.cells[place] for place in places), style=row.style)
        return table


def fits(table: Table, console: Console, options: ConsoleOptions) -> bool:
    """Whether a table fits without breaking what must not be broken."""
    return Measurement.get(console, options.update(max_width=WIDEST), table).minimum <= options.max_width
