"""Tables that are whole at any width: the least important columns are left out until the others fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .text import printable, printable_lines

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
            spare = options.max_width - self._least_width(places, console, options)
            if spare >= 0:
                yield self._table(places, spare)
                return
        for row in self.rows:
            line = "  ".join(printable(row.cells[place]) for place in places)
            yield Text(line, style=row.style or "", no_wrap=True, overflow="ignore")

    def fits(self, console: Console, options: ConsoleOptions) -> bool:
        """Whether all columns fit."""
        return self._least_width(range(len(self.columns)), console, options) <= options.max_width

    def _choices(self) -> Iterator[list[int]]:
        """The places of the columns to show, fewer each time."""
        ranks = sorted({column.rank for column in self.columns if column.rank is not None})
        for lowest in (0, *(rank + 1 for rank in ranks)):
            yield [place for place, column in enumerate(self.columns) if column.rank is None or column.rank >= lowest]

    def _least_width(self, places: Sequence[int], console: Console, options: ConsoleOptions) -> int:
        """How wide the table is if each line of its cells that wrap has one word."""
        return Measurement.get(console, options.update(max_width=WIDEST), self._table(places, 0)).minimum

    def _table(self, places: Sequence[int], spare: int) -> Table:
        """The table; its columns that wrap share the spare room."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
        for place in places:
            column, (least, most) = self.columns[place], self._widths(place)
            width = min(most, least + spare)
            spare -= width - least
            table.add_column(column.title, justify="right" if column.right else "left", width=width)
        for row in self.rows:
            if row.begins_section:
                table.add_section()
            table.add_row(*(row.cells[place] for place in places), style=row.style)
        return table

    def _widths(self, place: int) -> tuple[int, int]:
        """The least width of a column, that of its longest word if it wraps, and the most, of its longest line."""
        texts = [self.columns[place].title, *(printable_lines(row.cells[place]) for row in self.rows)]
        words, lines = ([part for text in texts for part in split(text)] for split in (str.split, str.splitlines))
        longest = max(map(cell_len, lines), default=1)
        return max(map(cell_len, words), default=1) if self.columns[place].wraps else longest, longest
