"""People under two codes: found among all, compared once, decided by a person and remembered."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery import duplicates
from smartabsen.gallery.duplicate_rows import find_found
from smartabsen.gallery.nightly import Nightly, night_of
from smartabsen.kernel.domain import Check
from smartabsen.kernel.errors import DatabaseError, InvalidInputError, NotFoundError
from smartabsen.store import meta
from smartabsen.trust import audit_rows

from ..installation import Draw, enrol


def pairs(app: SmartAbsen) -> list[tuple[str, str]]:
    """Return the codes of the pairs that are known."""
    return [(pair.employee.code, pair.other.code) for pair in app.duplicates.find().pairs]


def enrol_twice(app: SmartAbsen, draw: Draw, *, person: int, code: str) -> None:
    """Enrol new photos of somebody under another code as well."""
    photos = [draw(f"again-{code}-{shade}.png", person, shade=shade) for shade in (150, 153)]
    app.enrol(f"Contoh lain {code}", photos, code=code, allow_duplicate=True)


def row(app: SmartAbsen) -> list[Check]:
    """Return doctor's rows about them."""
    return [check for check in app.check_health() if check.name == "duplicates"]


def test_one_person_under_two_codes_is_found_and_told(app: SmartAbsen, draw: Draw) -> None:
    """The search finds the pair, doctor names it; others are no pair."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    assert app.duplicates.find().searched_at is None and not row(app)
    assert app.duplicates.search().pairs == ()
    enrol_twice(app, draw, person=2, code="E9")
    report = app.duplicates.search()
    assert report.complete and report.searched_at is not None and pairs(app) == [("E2", "E9")]
    assert report.pairs[0].similarity >= report.threshold
    assert dict(row(app)[0].params) == {"count": "1", "first": "E2 / E9"}


def test_a_search_compares_only_what_came_since_the_last_one(
    app: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing came, nothing is compared; --anew compares all; a pair that was found stays listed."""
    for person in (1, 2):
        enrol(app, draw, person)
    enrol_twice(app, draw, person=2, code="E9")
    app.duplicates.search()
    monkeypatch.setattr(duplicates, "_ROWS", 1)
    with app.services.database.read() as session:
        before = find_found(session)
    assert before is not None
    app.duplicates.search(budget_s=0.0)
    with app.services.database.read() as session:
        after = find_found(session)
    assert after is not None and after.complete and after.up_to == before.up_to and pairs(app) == [("E2", "E9")]
    assert not app.duplicates.search(anew=True, budget_s=0.0).complete


def test_a_search_that_ran_out_of_time_goes_on(app: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """One template at a time, it comes to the same end."""
    enrol(app, draw, 1)
    enrol_twice(app, draw, person=1, code="E9")
    monkeypatch.setattr(duplicates, "_ROWS", 1)
    searches = 1
    while not app.duplicates.search(budget_s=0.0).complete:
        searches += 1
    assert searches == 5 and pairs(app) == [("E1", "E9")]


def test_two_who_are_said_to_be_two_are_not_listed_again(app: SmartAbsen, draw: Draw) -> None:
    """In either order, also after a new search; the trail has it with the reason, which must be given."""
    enrol(app, draw, 1)
    enrol_twice(app, draw, person=1, code="E9")
    app.duplicates.search()
    with pytest.raises(InvalidInputError):
        app.duplicates.mark_different("E9", "E1", reason=" ")
    with pytest.raises(InvalidInputError):
        app.duplicates.mark_different("E1", "E1", reason="same")
    with pytest.raises(NotFoundError):
        app.duplicates.mark_different("E1", "E7", reason="nobody")
    app.duplicates.mark_different("E9", "E1", reason="twins")
    assert pairs(app) == [] and app.duplicates.search(anew=True).pairs == ()
    with app.services.database.read() as session:
        (entry,) = (one for one in audit_rows.latest(session) if one.action == "employee.different")
    assert (entry.subject, entry.details["other"], entry.details["reason"]) == ("E9", "E1", "twins")


def test_who_left_is_found_beside_who_works_but_two_who_left_are_not(app: SmartAbsen, draw: Draw) -> None:
    """A second code of somebody who left may still be paid."""
    enrol(app, draw, 1)
    enrol_twice(app, draw, person=1, code="E9")
    app.deactivate_employee("E1")
    app.duplicates.search()
    assert pairs(app) == [("E1", "E9")]
    app.deactivate_employee("E9")
    assert pairs(app) == []


def test_after_a_restore_everybody_is_compared_again(app: SmartAbsen, draw: Draw) -> None:
    """Ids of templates are other ones then."""
    enrol(app, draw, 1)
    enrol_twice(app, draw, person=1, code="E9")
    app.duplicates.search()
    with app.services.database.write() as session:
        meta.begin_generation(session)
    assert app.duplicates.find().searched_at is None
    assert app.duplicates.search().complete and pairs(app) == [("E1", "E9")]


def test_of_several_workers_one_does_the_work_of_a_night(app: SmartAbsen, draw: Draw) -> None:
    """The next night it is done again."""
    enrol(app, draw, 1)
    with SmartAbsen(app.services.loaded) as other:
        done = [one.duplicates.search_of_night("2026-11-30") for one in (app, other, app)]
        assert done == [True, False, False]
        assert other.duplicates.search_of_night("2026-12-01")
    assert app.duplicates.find().searched_at is not None


def test_a_night_begins_at_two() -> None:
    """What runs at one o'clock belongs to the night before."""
    assert night_of(datetime(2026, 12, 1, 1, 59, tzinfo=UTC)) == "2026-11-30"
    assert night_of(datetime(2026, 12, 1, 2, 0, tzinfo=UTC)) == "2026-12-01"


def test_the_thread_asks_again_after_an_error() -> None:
    """A database that is away once does not end it."""
    asked: list[str] = []
    twice = threading.Event()

    def work(night: str) -> None:
        asked.append(night)
        if len(asked) == 1:
            raise DatabaseError("away")
        twice.set()

    with Nightly(work, lambda: datetime(2026, 12, 1, 3, tzinfo=UTC), first_look_s=0.0, every_s=0.01):
        assert twice.wait(60)
    assert set(asked) == {"2026-12-01"}
