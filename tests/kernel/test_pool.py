"""Things that work for one thread at a time, lent to several."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from smartabsen import ModelError
from smartabsen.kernel.pool import Pool


class Member:
    """Counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Maker:
    """Makes members, or raises what is put into ``error``."""

    def __init__(self) -> None:
        self.made: list[Member] = []
        self.error: Exception | None = None

    def __call__(self) -> Member:
        if self.error is not None:
            raise self.error
        self.made.append(Member())
        return self.made[-1]


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def told() -> list[Exception]:
    return []


@pytest.fixture
def pool(make: Maker, told: list[Exception]) -> Iterator[Pool[Member]]:
    """Two members at most."""
    pool = Pool[Member](make, size=2, on_trouble=told.append)
    yield pool
    pool.close()


def borrow_in_a_thread(pool: Pool[Member]) -> tuple[threading.Thread, list[Member]]:
    """Start a thread that borrows once; the thread, and what it got as soon as it has it."""
    got: list[Member] = []

    def work() -> None:
        with pool.lend() as member:
            got.append(member)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, got


def test_a_second_one_is_made_only_while_the_first_is_at_work(pool: Pool[Member], make: Maker) -> None:
    """In quiet times one alone costs memory."""
    for _ in range(3):
        with pool.lend() as member:
            assert member is make.made[0]
    with pool.lend() as first, pool.lend() as second:
        assert first is not second
    assert len(make.made) == 2


def test_who_comes_when_all_are_lent_waits_for_one(pool: Pool[Member], make: Maker) -> None:
    """No third one is made."""
    with ExitStack() as lent:
        both = [lent.enter_context(pool.lend()) for _ in range(2)]
        thread, got = borrow_in_a_thread(pool)
        thread.join(0.05)
        assert not got
    thread.join(20)
    assert got[0] in both and len(make.made) == 2


def test_one_that_cannot_be_made_is_told_and_the_next_try_may_do_it(pool: Pool[Member], make: Maker) -> None:
    """The place is not lost."""
    make.error = ModelError("damaged")
    for _ in range(3):
        with pytest.raises(ModelError, match="damaged"), pool.lend():
            pass
    make.error = None
    with pool.lend(), pool.lend():
        pass
    assert len(make.made) == 2


@pytest.mark.parametrize("error", [ModelError("damaged"), MemoryError()])
def test_where_a_further_one_cannot_be_made_the_others_do_the_work(
    error: Exception, pool: Pool[Member], make: Maker, told: list[Exception]
) -> None:
    """It is told once, not at every try."""
    with pool.lend() as only:
        make.error = error
        waiting = [borrow_in_a_thread(pool) for _ in range(3)]
        while not told:
            threading.Event().wait(0.01)
    for thread, got in waiting:
        thread.join(20)
        assert got == [only]
    assert told == [error]


def test_an_error_of_a_borrower_takes_no_place(pool: Pool[Member], make: Maker) -> None:
    """The member comes back, and is lent after the others."""
    with pool.lend(), pool.lend():
        pass
    with pytest.raises(ValueError, match="of the borrower"), pool.lend() as failed:
        raise ValueError("of the borrower")
    with pool.lend() as first, pool.lend() as second:
        assert first is not failed and second is failed
    assert len(make.made) == 2


def test_members_at_work_are_closed_when_they_come_back(pool: Pool[Member]) -> None:
    """The others at once; who borrows from then on gets new ones."""
    new = Member()
    with pool.lend() as lent:
        with pool.lend() as idle:
            pass
        pool.exchange(new)
        assert (lent.closed, idle.closed) == (0, 1)
        with pool.lend() as now:
            assert now is new
    assert (lent.closed, new.closed) == (1, 0)
    pool.close()
    assert new.closed == 1


def test_who_waits_gets_a_new_member_at_the_exchange(pool: Pool[Member]) -> None:
    """Also while the old ones are still out."""
    new = Member()
    with pool.lend(), pool.lend():
        thread, got = borrow_in_a_thread(pool)
        pool.exchange(new)
        thread.join(20)
        assert got == [new]


def test_one_that_was_being_made_at_an_exchange_is_not_lent() -> None:
    """It is one of before."""
    old, new = Member(), Member()

    def make() -> Member:
        pool.exchange(new)
        return old

    pool = Pool[Member](make, size=2)
    with pool.lend() as lent:
        assert lent is new
    assert (old.closed, new.closed) == (1, 0)


def test_one_is_there_after_it_was_ensured(pool: Pool[Member], make: Maker) -> None:
    """Also while it is lent no other is made."""
    pool.ensure()
    with pool.lend():
        pool.ensure()
    assert len(make.made) == 1
