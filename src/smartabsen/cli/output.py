"""The one place where the command line prints: results on stdout, remarks and progress on stderr.

On a terminal tables have lines and colours and fit its width. Into a pipe they are plain text, one row a line,
however wide. Names are shown as they are: nothing in them is taken for markup or for a terminal's commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TextIO

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..kernel.i18n import _
from .answer import Answer, one_line, print_envelope, print_problem

Progress = Callable[[int, int], None]
"""Called with the work done so far and the whole."""

# A pipe has no width; rich wants one.
_UNBOUNDED = 100_000


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table with a style of rich, as ``green``."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, and whether it holds numbers or must stay on one line."""

    title: str
    number: bool = False
    whole: bool = False


class Output:
    """Prints what one command has to say.

    Args:
        as_json: Results are printed as one JSON object.
        quiet: No progress and no remarks; warnings and errors stay.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet

    @cached_property
    def stdout(self) -> Console:
        """Where results go."""
        return _console(sys.stdout)

    @cached_property
    def stderr(self) -> Console:
        """Where everything else goes."""
        return _console(sys.stderr)

    def emit(self, command: str, answer: Answer) -> None:
        """Print the answer of a command and its problems."""
        if self.as_json:
            print_envelope(command, answer.status, answer.data, answer.problems)
            return
        answer.show(self)
        sys.stdout.flush()
        for problem in answer.problems:
            print_problem(problem)

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line of a result."""
        self.stdout.print(Text(one_line(text), style=style), soft_wrap=not self.stdout.is_terminal)

    def block(self, text: str) -> None:
        """Print lines whose layout counts, as a picture of characters, exactly as they are."""
        self.stdout.out(text, highlight=False)

    @property
    def screen(self) -> Console:
        """Where a person looks while a command works: stdout, or stderr where scripts read stdout."""
        return self.stderr if self.as_json else self.stdout

    def note(self, text: str) -> None:
        """Print a remark that ``--quiet`` hides."""
        if not self.quiet:
            self.stderr.print(Text(one_line(text), style="dim"), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print what people must not miss."""
        self.stderr.print(Text(one_line(text), style="yellow"), soft_wrap=True)

    def tell(self, text: str) -> None:
        """Print lines on stderr that somebody must read before answering a question."""
        self.stderr.out("\n".join(one_line(line) for line in text.splitlines()), highlight=False)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], *, empty: str = "") -> None:
        """Print a table; without rows, ``empty`` as a remark, if there is one."""
        table = self._table(columns)
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        if not table.row_count:
            if empty:
                self.note(empty)
        elif self.stdout.is_terminal:
            self.stdout.print(table)
        else:
            with self.stdout.capture() as captured:
                self.stdout.print(table)
            self.block("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def write_text(self, text: str) -> None:
        """Write a text file to stdout: UTF-8 into a pipe whatever the locale, text on a terminal."""
        sys.stdout.flush()
        if sys.stdout.isatty():
            sys.stdout.write(text)
        else:
            sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()

    @contextmanager
    def progress(self, label: str, *, at_once: bool = True) -> Iterator[Progress | None]:
        """Show a bar on stderr for a ``with`` block; None where nobody would see it.

        Args:
            at_once: Show it before anything is done; not where something may be asked first, over which it would draw.
        """
        if self.quiet or not self.stderr.is_terminal:
            yield None
            return
        from rich import progress as bars

        columns = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(),
        )
        bar = bars.Progress(*columns, console=self.stderr, transient=True)
        task = bar.add_task(one_line(label), total=None)

        def show(done: int, total: int) -> None:
            bar.start()
            bar.update(task, completed=done, total=total)

        if at_once:
            bar.start()
        try:
            yield show
        finally:
            bar.stop()

    def can_ask(self) -> bool:
        """Whether somebody sits at a terminal to answer."""
        return not self.as_json and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str) -> bool:
        """Ask on the terminal; the answer is no until somebody says yes."""
        return bool(typer.confirm(one_line(question), default=False, err=True))

    def ask(self, question: str) -> str:
        """Ask for a text on the terminal, until there is one."""
        return str(typer.prompt(one_line(question), err=True))

    def _table(self, columns: Sequence[Column]) -> Table:
        lines = box.SIMPLE_HEAD if self.stdout.is_terminal else None
        table = Table(box=lines, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(
                column.title,
                justify="right" if column.number else "left",
                no_wrap=column.whole or column.number,
                overflow="fold",
            )
        return table


def yes_no(value: bool) -> str:
    """Return the word for it."""
    return _("yes") if value else _("no")


def _text(cell: str | Cell) -> Text:
    return Text(one_line(cell.text), style=cell.style) if isinstance(cell, Cell) else Text(one_line(cell))


def _console(stream: TextIO) -> Console:
    console = Console(file=stream, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    return console
