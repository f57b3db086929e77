"""What is told of photos that were accepted, and of people whose photos may be of two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from smartabsen.kernel.domain import MixedPerson, Outcome, PersonAccuracy, PhotoVerdict, Quality, WeakPerson, WeakReason


def test_enroll_says_what_an_accepted_photo_lacks(program: Any) -> None:
    """A photo that is nearly another one, and a face with a mask, are accepted, and told."""
    good = Quality(120.0, 128.0, 250.0, 0.1, 0.99)
    covered = replace(good, covered=True)
    verdicts = (
        PhotoVerdict("b.jpg", Outcome.ACCEPTED, good, copy_of="a.jpg"),
        PhotoVerdict("c.jpg", Outcome.ACCEPTED, covered),
    )
    program.prepare = lambda library: setattr(library, "verdicts", verdicts)
    told = " ".join(program("enroll", "Siti", "b.jpg", "c.jpg", "--code", "E001").stdout.split())
    assert "a.jpg" in told and "covered" in told
    photos = program.json("enroll", "Siti", "b.jpg", "c.jpg", "--code", "E001")[1]["data"]["photos"]
    assert [(each["copy_of"], each["quality"]["covered"]) for each in photos] == [("a.jpg", False), ("", True)]


def test_enroll_tells_of_two_persons_under_one_code(program: Any) -> None:
    """The photo is marked, the advice says what to do, and scripts see both."""
    good = Quality(120.0, 128.0, 250.0, 0.1, 0.99)
    verdicts = (
        PhotoVerdict("a.jpg", Outcome.ACCEPTED, good),
        PhotoVerdict("b.jpg", Outcome.ACCEPTED, good, unlike_others=0.1234567),
    )
    program.prepare = lambda library: setattr(library, "verdicts", verdicts)
    told = " ".join(program("enroll", "Siti", "a.jpg", "b.jpg", "--code", "E001").stdout.split())
    assert "employee remove-photo" in told
    answer = program.json("enroll", "Siti", "a.jpg", "b.jpg", "--code", "E001")[1]["data"]
    assert [each["unlike_others"] for each in answer["photos"]] == [None, 0.1235]
    assert "another person" in answer["photos"][1]["hint"] and answer["advice"][0] == "mixed"


def test_train_lists_people_whose_photos_may_be_of_two(program: Any) -> None:
    """By name, with the photos that differ."""

    def prepare(library: Any) -> None:
        library.accuracies = (PersonAccuracy(library.people[0], 2, 1, 0),)
        library.mixed = (MixedPerson(library.people[0], ("b.jpg",), 0.1234567),)

    program.prepare = prepare
    told = " ".join(program("train").stdout.split())
    assert "Perhaps two persons" in told and "b.jpg" in told and "employee remove-photo" in told
    assert "More and newer photos" not in told, "more photos do not mend it"
    (mixed,) = program.json("train")[1]["data"]["mixed"]
    assert (mixed["employee"]["code"], mixed["sources"], mixed["similarity"]) == ("E001", ["b.jpg"], 0.1235)


def test_train_names_whom_it_serves_badly_and_ends_with_seven(program: Any) -> None:
    """In use all the same; each with the reason and what helps, once."""

    def prepare(library: Any) -> None:
        first = library.people[0]
        second = replace(first, code="E002", name="Contoh Dua")
        library.accuracies = (PersonAccuracy(first, 4, 4, 0),)
        reasons = (WeakReason.LOOK_ALIKE, WeakReason.BLURRED)
        library.weak = (WeakPerson(first, 4, 0, reasons, second),)

    program.prepare = prepare
    result = program("train")
    told = " ".join(result.stdout.split())
    assert result.exit_code == 7 and "0/4" in told and "blurred" in told and "Not always recognised" not in told
    assert "are recognised in none or few of their own photos" in " ".join(result.stderr.split())
    code, answer = program.json("train")
    (weak,) = answer["data"]["weak"]
    assert (code, answer["status"], answer["data"]["activated"]) == (7, "partial", True)
    assert (weak["employee"]["code"], weak["reasons"]) == ("E001", ["look_alike", "blurred"])
    assert (weak["recognised"], weak["tried"], weak["looks_like"]["code"]) == (0, 4, "E002")
