"""What people read about an outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from smartabsen.kernel import messages
from smartabsen.kernel.domain import (
    AttendanceDay,
    CheckLevel,
    Employee,
    ImportVerdict,
    LicenceClass,
    Outcome,
    Punch,
    PunchMethod,
    PunchResult,
    Status,
)
from smartabsen.kernel.i18n import use_language

JAKARTA = ZoneInfo("Asia/Jakarta")
JAYAPURA = ZoneInfo("Asia/Jayapura")
DAY = date(2026, 11, 2)


def punched(local: str, *, outcome: Outcome = Outcome.RECOGNIZED, leaving: bool = False) -> PunchResult:
    """A punch of Siti at this time in Jakarta."""
    at = datetime.fromisoformat(f"2026-11-02T{local}+07:00").astimezone(UTC)
    first = at - timedelta(hours=8) if leaving else at
    siti = Employee(1, "E001", "Siti", "", True, at)
    punch = Punch(1, 1, at, DAY, PunchMethod.FACE, "gate", "key")
    return PunchResult(outcome, siti, punch, AttendanceDay(1, DAY, first, at if leaving else None, Status.LATE))


def test_every_outcome_has_its_sentence_and_every_refusal_its_next_step() -> None:
    """Nobody is refused without being told why and what to do."""
    assert set(messages.OUTCOMES) == set(Outcome)
    done = {Outcome.ACCEPTED, Outcome.RECOGNIZED}
    assert {outcome for outcome, text in messages.OUTCOMES.items() if not text.next_step} == done
    assert messages.refusal(Outcome.TOO_DARK) == "Too dark. Face the light."


def test_who_wears_a_mask_and_is_not_recognised_is_told_to_lower_it() -> None:
    """In both languages; a refusal that no mask explains stays as it is."""
    told = "Not recognised. Mouth and chin seem to be covered: lower the mask, and look straight at the camera."
    assert messages.refusal(Outcome.UNKNOWN, covered=True) == told
    assert "lower the mask" in messages.refusal(Outcome.AMBIGUOUS, covered=True)
    assert messages.refusal(Outcome.TOO_DARK, covered=True) == messages.refusal(Outcome.TOO_DARK)
    with use_language("id"):
        assert "turunkan masker" in messages.refusal(Outcome.UNKNOWN, covered=True)


def test_administrators_read_what_they_can_do_and_not_what_the_person_was_told() -> None:
    """Whatever a kiosk or a browser refuses has an advice of its own; what comes of files only keeps its text."""
    of_files = {Outcome.UNREADABLE, Outcome.TOO_LARGE, Outcome.AT_THE_EDGE, Outcome.DUPLICATE_FACE}
    of_files |= {Outcome.DUPLICATE_PHOTO, Outcome.TOO_MANY_PHOTOS}
    done = {Outcome.ACCEPTED, Outcome.RECOGNIZED, Outcome.ALREADY_RECORDED, Outcome.PENDING, Outcome.MOVEMENT_NEEDED}
    assert set(messages.ADVICE) == set(Outcome) - of_files - done
    assert messages.advise(Outcome.LIVENESS_UNAVAILABLE) == "“smartabsen doctor” says what is missing or broken."
    assert messages.advise(Outcome.AT_THE_EDGE) == "Move to the middle and step back a little."


def test_every_word_of_the_domain_that_people_see_has_its_text() -> None:
    """A new member of these enums needs a text."""
    assert set(messages.STATUSES) == set(Status)
    assert set(messages.IMPORT_VERDICTS) == set(ImportVerdict)
    assert set(messages.LICENCE_CLASSES) == set(LicenceClass)
    assert set(messages.CHECK_LEVELS) == set(CheckLevel)


@pytest.mark.parametrize(
    ("local", "greeting"),
    [
        ("02:59", "Good evening"),
        ("03:00", "Good morning"),
        ("10:59", "Good morning"),
        ("11:00", "Good day"),
        ("15:00", "Good afternoon"),
        ("18:00", "Good evening"),
    ],
)
def test_a_greeting_fits_the_hour_at_the_site(local: str, greeting: str) -> None:
    """Pagi, siang, sore, malam, by the site's clock."""
    assert messages.greet(punched(local), JAKARTA) == f"{greeting}, Siti. {local}, Late."


def test_the_time_is_that_of_the_site() -> None:
    """Jayapura is two hours ahead of Jakarta."""
    assert messages.greet(punched("07:55"), JAYAPURA) == "Good morning, Siti. 09:55, Late."


def test_whoever_leaves_is_bid_goodbye_and_whoever_was_recorded_is_told_so() -> None:
    """The punch that is the day's departure, and the punch within the cooldown."""
    assert messages.greet(punched("17:05", leaving=True), JAKARTA) == "Goodbye, Siti. 17:05."
    again = punched("07:56", outcome=Outcome.ALREADY_RECORDED)
    assert messages.greet(again, JAKARTA) == "Siti is recorded already: 07:56, Late."


def test_a_greeting_says_the_status_that_held_at_the_punch() -> None:
    """A replayed punch is greeted as it was at first, whatever became of the day."""
    result = punched("07:55")
    replayed = replace(result, punch=replace(result.punch, status=Status.PRESENT))
    assert messages.greet(replayed, JAKARTA).endswith("07:55, Present.")


def test_a_place_may_hold_a_message_itself() -> None:
    """Details come with places; braces in what fills them are left alone."""
    assert messages.fill("No window: {why}.", [("why", "{odd}")]) == "No window: {odd}."
