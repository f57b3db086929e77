"""The recognition session, with drawn-up faces instead of a camera, a model and a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest

from smartabsen.camera.fake import FakeSource
from smartabsen.config import LivenessSettings
from smartabsen.gallery.liveness import Attempts, LivenessChecks
from smartabsen.kernel.domain import (
    AttendanceDay,
    ClockReading,
    Employee,
    Face,
    KioskEvent,
    KioskEventKind,
    KnownPerson,
    LandmarkScheme,
    Match,
    Measured,
    Observation,
    Outcome,
    Punch,
    PunchMethod,
    PunchResult,
    Quality,
    Status,
)
from smartabsen.kernel.ending import Ending
from smartabsen.kernel.errors import CameraError, DatabaseError
from smartabsen.kiosk.kiosk import Kiosk
from smartabsen.kiosk.liveness import KioskLiveness
from smartabsen.kiosk.punch_writer import Written
from smartabsen.recognition.liveness.fake import FakeLiveness
from smartabsen.store.trusted_clock import TrustedClock

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
QUALITY = Quality(100, 120, 200, 0, 1)
PERIOD_S = 0.1
AXES = np.eye(8, dtype=np.float32)

Seen = dict[int, int | Outcome | None]
"""What stands at each place of a frame: an employee's id, None for a stranger, or why a face cannot be compared."""


class Script:
    """A camera, a recogniser and a gallery that play one script: a dict for each frame."""

    def __init__(self, frames: Sequence[Seen]) -> None:
        self.frames = frames
        self.embedded = self.searched = 0
        self.threshold = 0.5
        self.version, self.people = "v1", 2
        self.new_model = False
        self.members: dict[int, KnownPerson] = {}

    def person(self, label: int) -> str:
        member = self.member(label)
        return "" if member is None else member.uuid

    def member(self, label: int) -> KnownPerson | None:
        return self.members.get(label)

    def camera(self) -> FakeSource:
        images = (np.full((1, 1, 3), number, dtype=np.uint8) for number in range(len(self.frames)))
        return FakeSource(images, period_s=PERIOD_S)

    def find(self, image_bgr: np.ndarray) -> tuple[Face, ...]:
        self.searched += 1
        self.now = self.frames[int(image_bgr[0, 0, 0])]
        points = np.zeros((5, 2), dtype=np.float32)
        return tuple(
            Face((200.0 * place, 0.0, 200.0 * place + 100, 100.0), 1.0, points, LandmarkScheme.ARCFACE5)
            for place in self.now
        )

    def examine(self, _image: np.ndarray, faces: Sequence[Face]) -> tuple[Observation, ...]:
        seen = []
        for face in faces:
            who = self.now[int(face.box_xyxy[0] // 200)]
            if isinstance(who, Outcome):
                seen.append(Observation(face, QUALITY, who, None, Measured(31.0, 40.0)))
            else:
                self.embedded += 1
                seen.append(Observation(face, QUALITY, None, AXES[who or 0]))
        return tuple(seen)

    def match(self, probes: Sequence[np.ndarray]) -> tuple[Match, ...]:
        people = [int(probe.argmax()) for probe in probes]
        return tuple(
            Match(Outcome.RECOGNIZED, who, 0.9, -1, 1.9) if who else Match(Outcome.UNKNOWN, 1, 0.1, 2, 0.0)
            for who in people
        )

    def refresh(self) -> bool:
        new, self.new_model = self.new_model, False
        return new


def result_of(employee_id: int, key: str, outcome: Outcome = Outcome.RECOGNIZED) -> PunchResult:
    employee = Employee(employee_id, f"E{employee_id}", f"Contoh {employee_id}", "", True, NOW)
    punch = Punch(1, employee_id, NOW, date(2026, 11, 23), PunchMethod.FACE, "k", key)
    day = AttendanceDay(employee_id, date(2026, 11, 23), NOW, None, Status.PRESENT)
    return PunchResult(outcome, employee, punch, day)


class Writer:
    """Answers each attempt at once with ``answer``, or with what it makes of it."""

    def __init__(self, answer: Callable[[Punch, int], Written] | None = None) -> None:
        self.answer = answer or (lambda attempt, track: stored(attempt, track))
        self.attempts: list[Punch] = []
        self.waiting: list[Written] = []
        self.silent = False
        self.lost = 2

    def submit(self, attempt: Punch, *, track: int) -> None:
        self.attempts.append(attempt)
        self.waiting.append(self.answer(attempt, track))

    def answers(self) -> list[Written]:
        if self.silent:
            return []
        given, self.waiting = self.waiting, []
        return given

    def close(self) -> int:
        self.silent = False
        return 3


def stored(attempt: Punch, track: int | None, outcome: Outcome = Outcome.RECOGNIZED) -> Written:
    return Written(attempt, track, result=result_of(attempt.employee_id, attempt.key, outcome))


def make_attempt(
    employee_id: int,
    *,
    similarity: float,
    reading: ClockReading,
    liveness: float | None = None,
    person: str = "",
    code: str = "",
) -> Punch:
    at = reading.at
    key = f"{employee_id}-{at.isoformat()}"
    return Punch(
        0,
        employee_id,
        at,
        at.date(),
        PunchMethod.FACE,
        "k",
        key,
        similarity,
        liveness=liveness,
        clock_trusted=reading.trusted,
        person=person,
        code=code,
    )


def make_liveness(script: Any, *, require: str = "off", **parts: Any) -> KioskLiveness:
    settings = LivenessSettings(require=require)
    return KioskLiveness(
        parts.get("checks") or LivenessChecks(settings, parts.get("build") or FakeLiveness),
        parts.get("attempts") or Attempts(settings, NoLimits()),
        recognizer=script,
        gallery=script,
        watch=parts.get("watch"),
        too_slow=lambda: None,
        keep=lambda: None,
    )


class NoLimits:
    """Counts of other processes: none."""

    def hit(self, _key: str, **_: int) -> int:
        return 0

    def wait_s(self, _key: str, **_: int) -> int:
        return 0

    def forget(self, _key: str) -> None:
        return


def play(frames: Sequence[Seen], *, writer: Writer | None = None, **kwargs: Any) -> list[KioskEvent]:
    script = kwargs.pop("script", None) or Script(frames)
    events: list[KioskEvent] = []
    kiosk = Kiosk(
        frames=kwargs.pop("camera", None) or script.camera(),
        recognizer=script,
        gallery=script,
        attempt=make_attempt,
        liveness=kwargs.pop("liveness", None) or make_liveness(script),
        writer=writer or Writer(),
        clock=kwargs.pop("clock", None) or TrustedClock(),
        votes=2,
        announce=events.append,
        stop=Ending(kwargs.pop("stop", threading.Event()), max_seconds=kwargs.pop("max_seconds", None)),
        **kwargs,
    )
    kiosk.run()
    return events


def decisions(events: list[KioskEvent]) -> list[tuple[Outcome | None, str | None]]:
    return [
        (event.outcome, event.result.employee.code if event.result else None)
        for event in events
        if event.kind is KioskEventKind.DECISION
    ]


def test_somebody_who_stays_is_announced_once() -> None:
    """One punch and one greeting for one walk past the camera."""
    writer = Writer()
    events = play([{0: 1}] * 30, writer=writer)
    assert decisions(events) == [(Outcome.RECOGNIZED, "E1")]
    assert [attempt.employee_id for attempt in writer.attempts] == [1]


def test_one_frame_is_no_decision() -> None:
    """A single lucky or unlucky frame decides nothing."""
    assert decisions(play([{0: 1}, {0: Outcome.BLURRED}, {}])) == []


def test_several_people_at_once_are_decided_each() -> None:
    """Two employees and a stranger side by side."""
    found = decisions(play([{0: 1, 1: 2, 2: None}] * 30))
    assert sorted(found, key=str) == sorted(
        [(Outcome.RECOGNIZED, "E1"), (Outcome.RECOGNIZED, "E2"), (Outcome.UNKNOWN, None)], key=str
    )


def test_a_stranger_is_refused_once_and_nothing_is_stored() -> None:
    """UNKNOWN writes no punch."""
    writer = Writer()
    assert decisions(play([{0: None}] * 40, writer=writer)) == [(Outcome.UNKNOWN, None)]
    assert writer.attempts == []


def test_somebody_who_steps_into_anothers_place_is_recognised_as_themselves() -> None:
    """The vote of the first person does not pass to the second at the same place."""
    found = decisions(play([{0: 1}] * 15 + [{0: 2}] * 30))
    assert found == [(Outcome.RECOGNIZED, "E1"), (Outcome.RECOGNIZED, "E2")]


def test_an_undecided_face_is_embedded_and_a_decided_one_seldom() -> None:
    """Embedding stops with the decision, but for a check now and then."""
    script = Script([{0: 1}] * 50)
    play([], script=script)
    assert 2 <= script.embedded <= 10


def test_a_face_that_cannot_be_compared_gets_guidance() -> None:
    """After a while the person is told why, once."""
    events = play([{0: Outcome.TOO_DARK}] * 40)
    assert decisions(events) == [(Outcome.TOO_DARK, None)]
    assert [event.measured for event in events if event.outcome] == [Measured(31.0, 40.0)]


def test_who_is_far_behind_somebody_else_is_not_told_to_come_closer() -> None:
    """Guidance on size goes to the nearest person alone."""
    assert decisions(play([{0: 1, 1: Outcome.TOO_SMALL}] * 40)) == [(Outcome.RECOGNIZED, "E1")]


def test_a_punch_within_the_cooldown_is_told_as_already_recorded() -> None:
    """The person is greeted by name, and the summary counts it apart."""
    events = play([{0: 1}] * 10, writer=Writer(partial(stored, outcome=Outcome.ALREADY_RECORDED)))
    assert decisions(events) == [(Outcome.ALREADY_RECORDED, "E1")]
    assert events[-1].summary is not None
    assert (events[-1].summary.recorded, events[-1].summary.already_recorded) == (0, 1)


def test_nothing_is_announced_before_it_is_stored() -> None:
    """The session goes on with its frames while the writer works, and tells what came of it when it knows."""
    writer = Writer()
    writer.silent = True
    events = play([{0: 1}] * 20, writer=writer)
    assert [event.kind for event in events] == [KioskEventKind.DECISION, KioskEventKind.SUMMARY]
    assert len(writer.attempts) == 1
    assert events[-1].summary is not None
    assert (events[-1].summary.frames, events[-1].summary.pending, events[-1].summary.lost) == (20, 3, 2)


def test_whom_only_the_trained_model_names_is_kept_with_the_code_and_greeted_by_name() -> None:
    """As after a start without the database, and of people who were enrolled since the start."""
    script = Script([{0: 1}] * 12)
    script.members = {1: KnownPerson("uuid-1", "E1", "Contoh")}
    writer = Writer(lambda attempt, track: Written(attempt, track, pending=True))
    event, _ = play([], script=script, writer=writer)
    assert event.outcome is Outcome.PENDING
    assert event.employee is not None and (event.employee.code, event.employee.name) == ("E1", "Contoh")
    assert [(one.code, one.person) for one in writer.attempts] == [("E1", "uuid-1")]


def test_a_punch_that_the_kiosk_keeps_is_told_as_pending_with_the_name_and_the_instant() -> None:
    """The person may go on: it is on the disk."""
    siti = Employee(1, "E1", "Siti", "", True, NOW)
    writer = Writer(lambda attempt, track: Written(attempt, track, pending=True))
    (event, _) = play([{0: 1}] * 10, writer=writer, people={1: siti})
    assert (event.kind, event.outcome, event.employee) == (KioskEventKind.DECISION, Outcome.PENDING, siti)
    assert event.at == writer.attempts[0].at


def test_a_delivered_punch_is_told_with_its_result() -> None:
    """Punches of the queue, also of earlier sessions, are told when the database has them."""
    writer = Writer()
    writer.waiting = [stored(make_attempt(2, similarity=0.9, reading=ClockReading(NOW)), None)]
    events = play([{}], writer=writer)
    assert [(event.kind, event.result.employee.code) for event in events if event.result] == [
        (KioskEventKind.DELIVERED, "E2")
    ]


def test_trouble_of_the_writer_is_told() -> None:
    """What it says reaches people."""
    trouble = DatabaseError("The database {address} does not answer.", address="db")
    events = play([{0: 1}] * 6, writer=Writer(lambda attempt, track: Written(attempt, track, trouble=trouble)))
    assert [(event.kind, event.params) for event in events[:-1]] == [(KioskEventKind.TROUBLE, (("address", "db"),))]


def test_somebody_deactivated_since_the_training_is_a_stranger() -> None:
    """The store refuses, the kiosk says unknown and goes on."""
    writer = Writer(lambda attempt, track: Written(attempt, track, refused=True))
    assert decisions(play([{0: 1}] * 10, writer=writer)) == [(Outcome.UNKNOWN, None)]


def test_a_clock_that_was_set_back_marks_the_punch() -> None:
    """The punch keeps the time that the kiosk showed."""
    writer = Writer()
    play([{0: 1}] * 10, writer=writer, clock=TrustedClock(known=datetime.now(UTC) + timedelta(hours=2)))
    assert [attempt.clock_trusted for attempt in writer.attempts] == [False]


def test_the_view_says_that_the_camera_gives_no_pictures() -> None:
    """The last picture does not stay on the screen as if it were live."""
    shown: list[object] = []

    class View:
        wants_quit = False

        def show(self, image_bgr: np.ndarray, faces: list[Any]) -> None:
            shown.append("picture")

        def show_lost(self, image_bgr: np.ndarray | None) -> None:
            shown.append("lost" if image_bgr is not None else "never there")

    image = np.zeros((1, 1, 3), dtype=np.uint8)
    camera = FakeSource([CameraError("silent"), image, CameraError("silent"), image], live=True, period_s=0.01)
    play([{}], camera=camera, view=View())
    assert shown == ["never there", "picture", "lost", "picture"]


def test_the_session_ends_when_its_time_is_over() -> None:
    """Also with a camera that gives nothing."""
    camera = FakeSource([CameraError("silent")] * 1_000_000, live=True)
    (event,) = play([{}], camera=camera, max_seconds=0.05)
    assert event.summary is not None
    assert event.summary.reason == "time_over"


def test_a_newly_trained_model_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on with it and says so."""
    monkeypatch.setattr("smartabsen.kiosk.kiosk.REFRESH_S", 0.0)
    script = Script([{0: 1}] * 10)
    script.new_model = True
    events = play([], script=script)
    assert events[0].kind is KioskEventKind.MODEL_RELOADED
    assert decisions(events) == [(Outcome.RECOGNIZED, "E1")]


def test_how_many_frames_are_looked_at_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live view shows by it that the kiosk works, also while nobody is there."""
    monkeypatch.setattr("smartabsen.kiosk.kiosk.RATE_S", 1e-9)
    events = play([{}] * 5)
    rates = [event.frames_per_s for event in events if event.kind is KioskEventKind.RUNNING]
    assert rates[0] == 0.0
    assert all(rate > 0 for rate in rates[1:]) and len(rates) == 6


def test_a_live_camera_that_is_silent_for_a_while_does_not_end_the_session() -> None:
    """The camera tells of its loss itself; the kiosk asks again."""
    script = Script([{0: 1}] * 6)
    image = [np.full((1, 1, 3), number, dtype=np.uint8) for number in range(6)]
    camera = FakeSource(
        [*image[:2], CameraError("silent"), CameraError("silent"), *image[2:]], live=True, period_s=0.01
    )
    events = play([], script=script, camera=camera)
    assert decisions(events) == [(Outcome.RECOGNIZED, "E1")]


def test_a_live_camera_is_searched_less_often_while_nobody_is_undecided() -> None:
    """Before the decision every frame counts; afterwards, and before an empty room, one in a while is enough."""
    script = Script([{}] * 20 + [{0: 1}] * 60)
    images = [np.full((1, 1, 3), number, dtype=np.uint8) for number in range(80)]
    events = play([], script=script, camera=FakeSource(images, live=True, period_s=0.01))
    assert decisions(events) == [(Outcome.RECOGNIZED, "E1")]
    assert 2 <= script.searched < 40


def test_a_recording_that_breaks_is_an_error() -> None:
    """A damaged film does not count as its end."""
    script = Script([{0: 1}])
    with pytest.raises(CameraError, match="broken"):
        play([], script=script, camera=FakeSource([CameraError("broken")]))


def test_stop_ends_the_session_with_a_summary() -> None:
    """Ctrl-C and SIGTERM set it."""
    stop = threading.Event()
    stop.set()
    events = play([{0: 1}] * 10, stop=stop)
    assert [event.kind for event in events] == [KioskEventKind.SUMMARY]
    assert events[0].summary is not None
    assert (events[0].summary.reason, events[0].summary.frames) == ("stopped", 0)


def test_after_five_wrong_faces_at_one_place_only_that_place_pauses() -> None:
    """NIST SP 800-63B: at most five in a row; who stands elsewhere before the same camera is recognised meanwhile."""
    strangers: list[Seen] = []
    for turn in range(14):
        # Each one is another person, so the vote begins anew.
        strangers += [{0: -1 - turn % 2}] * 12
    script = Wrong([*strangers, *[{0: 1, 1: 2}] * 12])
    events = play([], script=script)
    said = [(event.outcome, event.track) for event in events if event.kind is KioskEventKind.DECISION]
    wrong = [outcome for outcome, track in said if track == 1]
    assert wrong == [Outcome.UNKNOWN] * 5 + [Outcome.TOO_MANY_ATTEMPTS]
    assert (Outcome.RECOGNIZED, 2) in said


class Wrong(Script):
    """Strangers are negative numbers; each looks like nobody else."""

    def examine(self, _image: np.ndarray, faces: Sequence[Face]) -> tuple[Observation, ...]:
        people = [self.now[int(face.box_xyxy[0] // 200)] for face in faces]
        return tuple(
            Observation(face, QUALITY, None, AXES[int(who or 0) % 8]) for face, who in zip(faces, people, strict=True)
        )

    def match(self, probes: Sequence[np.ndarray]) -> tuple[Match, ...]:
        people = [int(probe.argmax()) for probe in probes]
        return tuple(
            Match(Outcome.RECOGNIZED, who, 0.9, -1, 1.9) if who < 6 else Match(Outcome.UNKNOWN, 1, 0.1, 2, 0.0)
            for who in people
        )
