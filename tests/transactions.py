"""Counts what an action costs the database, in transactions, and the disk, in syncs of our own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import Connection, Engine, event

Counting: TypeAlias = Callable[[], "AbstractContextManager[Transactions]"]


@dataclass
class Transactions:
    """The transactions of this thread, in order.

    Attributes:
        begun: Of each its mode, ``read`` or ``write``, and its statements.
        beside: How many other threads began meanwhile: what is tidied up beside requests.
    """

    begun: list[tuple[str, list[str]]] = field(default_factory=list)
    beside: int = 0

    @property
    def reads(self) -> int:
        """How many could not write."""
        return sum(mode == "read" for mode, _ in self.begun)

    @property
    def writes(self) -> int:
        """How many could write."""
        return sum(mode == "write" for mode, _ in self.begun)

    def __str__(self) -> str:
        """Return what a failed test shows: each transaction with its statements, shortened."""
        lines = []
        for mode, statements in self.begun:
            lines.append(f"{mode}:")
            lines += [f"    {' '.join(statement.split())[:110]}" for statement in statements]
        return "\n".join(lines)


@contextmanager
def counted_transactions() -> Iterator[Transactions]:
    """Count the transactions, of whatever database, that begin in a ``with`` block."""
    counted, mine = Transactions(), threading.get_ident()

    def begin(connection: Connection) -> None:
        if threading.get_ident() != mine:
            counted.beside += 1
            return
        counted.begun.append((str(connection.get_execution_options().get("smartabsen_mode", "read")), []))

    def execute(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == mine and counted.begun:
            counted.begun[-1][1].append(statement)

    event.listen(Engine, "begin", begin)
    event.listen(Engine, "before_cursor_execute", execute)
    try:
        yield counted
    finally:
        event.remove(Engine, "begin", begin)
        event.remove(Engine, "before_cursor_execute", execute)


@pytest.fixture
def transactions() -> Counting:
    """Counts the transactions of a ``with`` block: ``with transactions() as counted: ...``."""
    return counted_transactions


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files and folders that our code made durable, in order; the database's own are not among them."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return synced
