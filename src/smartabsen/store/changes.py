"""Statements whose row count decides, and when what has expired is removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import Session

Tidy: TypeAlias = Callable[[Callable[[], object]], None]
"""Does a work of removing what has expired, at once or beside."""


def do_now(work: Callable[[], object]) -> None:
    """Do a work at once."""
    work()


def changed_rows(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE and return how many rows it found. Rows that were read before are not kept up to date."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast(CursorResult[Any], result).rowcount
