"""The main job through the facade, with the fake engine: enrol, train, recognise, punch, report."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from smartabsen import (
    ConflictError,
    EngineMismatchError,
    InvalidInputError,
    KioskEvent,
    KioskEventKind,
    NotFoundError,
    NotTrainedError,
    Outcome,
    PunchMethod,
    SmartAbsen,
)
from smartabsen.kernel.domain import EnrolAdvice

from ..installation import Draw, enrol, outcomes

TODAY = (datetime.now(UTC).date() - timedelta(days=1), datetime.now(UTC).date() + timedelta(days=1))


def test_the_main_job(app: SmartAbsen, draw: Draw) -> None:
    """People are enrolled, trained, recognised in pictures, and a stranger is not."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    report = app.train()
    assert (report.employees, report.templates, report.gate.rank_1.share, report.activated) == (3, 9, 1.0, True)
    assert outcomes(app, draw("two.png", 2, 3), draw("stranger.png", 77), draw("nobody.png")) == [
        [(Outcome.RECOGNIZED, "E2"), (Outcome.RECOGNIZED, "E3")],
        [(Outcome.UNKNOWN, None)],
        [],
    ]


def test_each_photo_gets_its_verdict(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """Accepted or refused with a reason; the good ones count."""
    (tmp_path / "notes.jpg").write_text("no picture")
    good = draw("good.png", 1)
    photos = {
        good: Outcome.ACCEPTED,
        draw("empty.png"): Outcome.NO_FACE,
        draw("two.png", 1, 2): Outcome.SEVERAL_FACES,
        draw("small.png", 1, size_px=30): Outcome.TOO_SMALL,
        draw("dark.png", 1, light=0.2): Outcome.TOO_DARK,
        draw("turned.png", 1, turn=1.0): Outcome.TURNED_AWAY,
        tmp_path / "notes.jpg": Outcome.UNREADABLE,
        tmp_path / "gone.jpg": Outcome.UNREADABLE,
    }
    report = app.enrol("Contoh", list(photos), code="E1")
    assert {Path(verdict.photo).name: verdict.outcome for verdict in report.verdicts} == {
        path.name: outcome for path, outcome in photos.items()
    }
    assert app.get_employee("E1").templates == 1


def test_nobody_is_added_when_no_photo_is_good(app: SmartAbsen, draw: Draw) -> None:
    """A person without a usable photo is not half enrolled."""
    report = app.enrol("Contoh", [draw("empty.png")], code="E1")
    assert (report.accepted, app.employees()) == (0, ())


def test_somebody_without_photos_can_be_added_and_punch_by_hand(app: SmartAbsen) -> None:
    """Nobody is forced to be recognised."""
    app.enrol("Contoh", [], code="E1")
    result = app.punch("e1", note="no camera")
    assert (result.outcome, result.punch.method) == (Outcome.RECOGNIZED, PunchMethod.MANUAL)


def test_a_person_who_is_enrolled_already_is_refused_by_name(app: SmartAbsen, draw: Draw) -> None:
    """The verdict names the other code; --allow-duplicate overrides."""
    enrol(app, draw, 1)
    again = [draw(f"again-{number}.png", 1, size_px=140 + number) for number in (0, 9)]
    report = app.enrol("Other Name", again, code="E9")
    assert [(v.outcome, v.similar_to.code if v.similar_to else None) for v in report.verdicts] == [
        (Outcome.DUPLICATE_FACE, "E1")
    ] * 2
    assert app.enrol("Other Name", again, code="E9", allow_duplicate=True).accepted == 2


def test_the_same_photo_again_adds_nothing(app: SmartAbsen, draw: Draw) -> None:
    """Enrolling twice is harmless, and further photos are added."""
    enrol(app, draw, 1)
    first = draw("photos/1-0.png", 1, size_px=130)
    report = app.enrol("contoh 1", [first, draw("new.png", 1)], code="e1")
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.DUPLICATE_PHOTO, Outcome.ACCEPTED]
    assert app.get_employee("E1").templates == 4


def test_a_photo_that_is_nearly_another_one_is_told(app: SmartAbsen, draw: Draw) -> None:
    """The same picture in another file is accepted, and named; within one enrolment and against an earlier one."""
    first = draw("first.png", 1)
    copy = cv2.imread(str(first))
    for name in ("copy.png", "again.png"):
        cv2.imwrite(str(first.with_name(name)), copy, [cv2.IMWRITE_PNG_COMPRESSION, 1 if name == "copy.png" else 9])
    report = app.enrol("Contoh", [first, first.with_name("copy.png")], code="E1")
    assert [(verdict.outcome, verdict.copy_of) for verdict in report.verdicts] == [
        (Outcome.ACCEPTED, ""),
        (Outcome.ACCEPTED, "first.png"),
    ]
    assert report.copies == 1
    (verdict,) = app.enrol("Contoh", [first.with_name("again.png")], code="E1").verdicts
    assert verdict.copy_of == "first.png"


def test_two_persons_under_one_code_are_told(app: SmartAbsen, draw: Draw) -> None:
    """At enrolment, with further photos, and by training; photos of one person are not."""
    enrol(app, draw, 3)
    photos = [draw("one.png", 1), draw("two.png", 2), draw("also-two.png", 2, size_px=150)]
    report = app.enrol("Two", photos, code="E1")
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.ACCEPTED] * 3
    assert [verdict.unlike_others is not None for verdict in report.verdicts] == [True, False, False]
    assert report.advice[0] is EnrolAdvice.MIXED
    later = app.enrol("Contoh 3", [draw("four.png", 4), draw("three.png", 3, size_px=170)], code="E3")
    assert [verdict.unlike_others is not None for verdict in later.verdicts] == [True, False]
    enrol(app, draw, 5)
    mixed = app.train(force=True).mixed
    assert sorted((person.employee.code, person.sources) for person in mixed) == [
        ("E1", ("one.png",)),
        ("E3", ("four.png",)),
    ]


def test_a_code_belongs_to_one_name(app: SmartAbsen, draw: Draw) -> None:
    """Another name under the same code is an error before any photo is opened."""
    enrol(app, draw, 1)
    with pytest.raises(ConflictError, match="E1 belongs to Contoh 1"):
        app.enrol("Somebody Else", [draw("x.png", 5)], code="E1")


def test_a_folder_stands_for_its_photos(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """A folder without any is told as such."""
    draw("folder/a.png", 1)
    draw("folder/b.png", 1)
    assert app.enrol("Contoh", [tmp_path / "folder"], code="E1").accepted == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="no photo"):
        app.enrol("Contoh", [tmp_path / "empty"], code="E2")


def test_a_mislabelled_photo_keeps_the_model_from_being_used(app: SmartAbsen, draw: Draw) -> None:
    """The report names the photo and whom it looks like; the old model stays; --force overrides."""
    for person in (1, 2):
        enrol(app, draw, person)
    before = app.train().version
    wrong = draw("wrong.png", 2, size_px=150)
    app.enrol("Contoh 1", [wrong], code="E1", allow_duplicate=True)
    report = app.train()
    assert not report.activated
    assert [(s.source, s.employee.code, s.looks_like.code) for s in report.suspects] == [("wrong.png", "E1", "E2")]
    assert (report.confused[0].employee.code, report.confused[0].taken_for.code) == ("E1", "E2")
    assert report.version != before
    assert app.train(force=True).activated


def test_training_needs_people(app: SmartAbsen) -> None:
    """An empty gallery is an error that says what to do."""
    with pytest.raises(NotFoundError, match="Nobody is enrolled") as caught:
        app.train()
    assert "enroll" in caught.value.hint


def test_recognition_needs_a_training(app: SmartAbsen, draw: Draw) -> None:
    """Without a trained model the error names the command."""
    with pytest.raises(NotTrainedError) as caught:
        app.identify([draw("a.png", 1)])
    assert "train" in caught.value.hint


def test_an_environment_variable_never_flips_the_engine(app: SmartAbsen, draw: Draw, flags: dict[str, object]) -> None:
    """The gallery's engine stands; another one is refused by name, before anything is written."""
    enrol(app, draw, 1)
    with (
        SmartAbsen.open(flags={**flags, "engine": "dlib"}) as other,
        pytest.raises(EngineMismatchError, match="fake") as caught,
    ):
        other.enrol("Contoh 2", [draw("b.png", 2)], code="E2")
    assert 'engine = "fake"' in caught.value.hint
    with SmartAbsen.open(flags={**flags, "engine": "auto"}) as same:
        assert same.engine_choice().name == "fake"


def test_renaming_keeps_everything_else(app: SmartAbsen, draw: Draw) -> None:
    """The code and the templates stay."""
    enrol(app, draw, 1)
    assert app.rename_employee("e1", "New Name").name == "New Name"
    assert (app.get_employee("E1").name, app.get_employee("E1").templates) == ("New Name", 3)


def test_a_kiosk_records_each_person_once_and_reports(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """A folder of pictures as the camera: two people, a stranger, and one of them again within the cooldown."""
    for person in (1, 2):
        enrol(app, draw, person)
    app.train()
    frames = [[1]] * 12 + [[]] * 40 + [[2, 77]] * 40 + [[]] * 40 + [[1]] * 12
    for number, people in enumerate(frames):
        draw(f"film/{number:04d}.png", *people, shade=90)
    events: list[KioskEvent] = []
    summary = app.run_kiosk(camera=str(tmp_path / "film"), on_event=events.append)
    decided = [
        (event.outcome, event.result.employee.code if event.result else None)
        for event in events
        if event.kind is KioskEventKind.DECISION
    ]
    assert sorted(map(str, decided)) == sorted(
        map(
            str,
            [
                (Outcome.RECOGNIZED, "E1"),
                (Outcome.RECOGNIZED, "E2"),
                (Outcome.UNKNOWN, None),
                (Outcome.ALREADY_RECORDED, "E1"),
            ],
        )
    )
    assert (summary.recorded, summary.already_recorded, summary.refused) == (2, 1, 1)
    assert (summary.frames, summary.reason) == (len(frames), "end_of_recording")
    days = app.report(*TODAY).days
    assert sorted(day.code for day in days) == ["E1", "E2"]
    (log,) = app.settings.csv_dir.glob("*.csv")
    assert len(log.read_text(encoding="utf-8-sig").splitlines()) == 3


def test_two_kiosks_take_over_what_another_process_trained(
    app: SmartAbsen, draw: Draw, flags: dict[str, object]
) -> None:
    """A running installation uses a newly trained model without being opened again."""
    enrol(app, draw, 1)
    app.train()
    probe = draw("probe.png", 2)
    assert outcomes(app, probe) == [[(Outcome.UNKNOWN, None)]]
    with SmartAbsen.open(flags=flags) as other:
        enrol(other, draw, 2)
        other.train()
    assert outcomes(app, probe) == [[(Outcome.RECOGNIZED, "E2")]]


def test_stop_ends_a_kiosk(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """A set event ends it before the next frame."""
    enrol(app, draw, 1)
    app.train()
    draw("film/1.png", 1)
    stop = threading.Event()
    stop.set()
    assert app.run_kiosk(camera=str(tmp_path / "film"), on_event=lambda _: None, stop=stop).reason == "stopped"


def test_a_guided_capture_takes_shots_apart_in_time(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """At the camera each good photo is told, bad ones are explained, and the shots are a second apart."""
    for number in range(120):
        people = [] if number < 10 else [1]
        draw(f"film/{number:04d}.png", *people, size_px=120 + number % 60, shade=60 + number)
    told: list[object] = []
    report = app.enrol_from_camera("Contoh", code="E1", camera=str(tmp_path / "film"), shots=3, on_event=told.append)
    assert report.accepted == 3
    assert told[0] == 3
    assert app.get_employee("E1").templates == 3


def test_a_repeated_key_stores_one_punch(app: SmartAbsen) -> None:
    """A retry after a lost answer is answered like the first attempt."""
    app.enrol("Contoh", [], code="E1")
    first, again = (app.punch("E1", key="ticket-1") for _ in range(2))
    assert (first.outcome, again.outcome) == (Outcome.RECOGNIZED, Outcome.RECOGNIZED)
    assert first.punch.id == again.punch.id
    assert app.punch("E1").outcome is Outcome.ALREADY_RECORDED
