"""A lock for what many threads read at once and seldom one changes."""

from __future__ import annotations

import threading

from smartabsen.kernel.read_write import ReadWriteLock


def start(work: object) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_readers_work_together() -> None:
    """Two are within at the same time."""
    lock, both = ReadWriteLock(), threading.Barrier(2, timeout=20)

    def read() -> None:
        with lock.reading():
            both.wait()

    threads = [start(read), start(read)]
    for thread in threads:
        thread.join(20)
    assert not both.broken


def test_a_writer_waits_for_readers_and_later_readers_for_it() -> None:
    """Else a stream of readers would keep it out for ever."""
    lock, order = ReadWriteLock(), []
    wants_to_write = threading.Event()

    def write() -> None:
        wants_to_write.set()
        with lock.writing():
            order.append("written")

    def read() -> None:
        with lock.reading():
            order.append("read later")

    with lock.reading():
        writer = start(write)
        wants_to_write.wait(20)
        writer.join(0.05)
        reader = start(read)
        reader.join(0.05)
        assert order == []
        order.append("read first")
    for thread in (writer, reader):
        thread.join(20)
    assert order == ["read first", "written", "read later"]


def test_an_error_within_leaves_it_free() -> None:
    """Of a reader and of a writer."""
    lock = ReadWriteLock()
    for block in (lock.reading, lock.writing):
        try:
            with block():
                raise ValueError
        except ValueError:
            pass
    with lock.writing():
        pass
