"""Several recognitions at once in one process: each is right, whatever is changed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from smartabsen import EngineMismatchError, ModelError, Outcome, SmartAbsen
from smartabsen.app import bootstrap
from smartabsen.gallery import enrolments
from smartabsen.gallery.enrolments import PictureFile
from smartabsen.gallery.liveness import Attempts
from smartabsen.kernel.domain import ImageBGR, LivenessAction
from smartabsen.kiosk.checkin import CheckInResult
from smartabsen.org.limits import RateLimits
from smartabsen.recognition import engines
from smartabsen.recognition.detectors.fake import FakeDetector, draw_face
from smartabsen.recognition.embedders.fake import FakeEmbedder
from smartabsen.store import meta

from ..installation import Draw
from ..kiosk.test_checkin import BUDI, SITI, burst

PATIENCE_S = 30.0
Work = Callable[[], CheckInResult]


class Hold:
    """Stops whoever searches a picture for faces first, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.let_go = threading.Event()
        search = FakeDetector.detect
        first = threading.Lock()

        def detect(detector: FakeDetector, image_bgr: ImageBGR) -> Any:
            if first.acquire(blocking=False):
                self.reached.set()
                assert self.let_go.wait(PATIENCE_S)
            return search(detector, image_bgr)

        monkeypatch.setattr(FakeDetector, "detect", detect)


class Running:
    """A call in a thread of its own."""

    def __init__(self, work: Work) -> None:
        self._answer: CheckInResult | BaseException | None = None

        def run() -> None:
            try:
                self._answer = work()
            except BaseException as exc:  # noqa: BLE001 - the test looks at it
                self._answer = exc

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def answer(self) -> CheckInResult | BaseException:
        """What it returned or raised."""
        self._thread.join(PATIENCE_S)
        assert self._answer is not None, "it has not ended"
        return self._answer

    def name(self) -> str:
        """Who was recorded, or why nobody was."""
        answer = self.answer()
        assert isinstance(answer, CheckInResult), answer
        return answer.employee.name if answer.employee else str(answer.outcome)


@pytest.fixture
def office(app: SmartAbsen, draw: Draw) -> Iterator[SmartAbsen]:
    """Siti and Budi, enrolled and trained; then an installation that recognises two at once, and has loaded nothing."""
    for person, (code, name) in {1: ("E001", "Siti"), 2: ("E002", "Budi")}.items():
        app.enrol(name, [draw(f"{code}-{number}.png", person) for number in range(3)], code=code)
    app.train(force=True)
    with SmartAbsen(app.services.loaded) as opened:
        opened.services.recognise_at_once(2, threads=1)
        yield opened


def attempt(app: SmartAbsen, scene: list[tuple[int, int, int]], key: str) -> Running:
    pictures = burst(scene, repeat=4)
    return Running(lambda: app.checkin.attempt(pictures, key=key))


def test_two_faces_are_searched_at_the_same_time(office: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each gets the answer to its own pictures."""
    both = threading.Barrier(2, timeout=PATIENCE_S)
    search = FakeDetector.detect

    def detect(detector: FakeDetector, image_bgr: ImageBGR) -> Any:
        both.wait()
        return search(detector, image_bgr)

    monkeypatch.setattr(FakeDetector, "detect", detect)
    siti, budi = attempt(office, SITI, "key-siti"), attempt(office, BUDI, "key-budi")
    assert (siti.name(), budi.name()) == ("Siti", "Budi")


def test_what_was_used_before_a_server_begins_is_made_for_several(
    office: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start of a server asks the policy on liveness; an engine that is loaded stays, and is one of them."""
    services = office.services
    asked: list[int] = []
    make = bootstrap.make_checks
    monkeypatch.setattr(bootstrap, "make_checks", lambda *given, at_once, **more: asked.append(at_once) or make(*given))
    services.recognise_at_once(1, threads=1)
    engine = services.engine
    assert services.liveness.guards in (True, False)
    services.recognise_at_once(3, threads=1)
    assert services.liveness.guards in (True, False)
    assert asked == [1, 3]
    with services.recognising() as lent:
        assert lent.engine is engine
        test_two_faces_are_searched_at_the_same_time(office, monkeypatch)


def test_many_threads_get_their_own_answers(office: SmartAbsen) -> None:
    """More than there are recognisers."""
    names = {number: attempt(office, SITI if number % 2 else BUDI, f"key-{number}") for number in range(8)}
    assert {number: running.name() for number, running in names.items()} == {
        number: "Siti" if number % 2 else "Budi" for number in range(8)
    }


def test_no_detector_and_no_embedder_works_for_two_threads(office: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what there are several of them for."""
    at_work: set[int] = set()
    shared: list[object] = []

    def alone(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(part: object, *given: Any) -> Any:
            if id(part) in at_work:
                shared.append(part)
            at_work.add(id(part))
            try:
                return method(part, *given)
            finally:
                at_work.discard(id(part))

        return call

    monkeypatch.setattr(FakeDetector, "detect", alone(FakeDetector.detect))
    monkeypatch.setattr(FakeEmbedder, "embed", alone(FakeEmbedder.embed))
    runs = [attempt(office, SITI if number % 2 else BUDI, f"key-{number}") for number in range(8)]
    assert {running.name() for running in runs} == {"Siti", "Budi"}
    assert shared == []


def test_a_training_in_the_middle_of_an_attempt(
    office: SmartAbsen, app: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes next has the new model, without waiting for the one that is under way, and both are right."""
    office.checkin.warm_up()
    hold = Hold(monkeypatch)
    under_way = attempt(office, SITI, "key-siti")
    assert hold.reached.wait(PATIENCE_S)
    app.enrol("Rini", [draw(f"rini-{number}.png", 5) for number in range(3)], code="E005")
    app.train(force=True)
    assert attempt(office, [(5, 480, 170)], "key-rini").name() == "Rini"
    hold.let_go.set()
    assert under_way.name() == "Siti"


def test_who_is_forgotten_in_the_middle_of_an_attempt_is_not_recorded(
    office: SmartAbsen, app: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model of now decides, not that of the beginning."""
    office.checkin.warm_up()
    hold = Hold(monkeypatch)
    under_way = attempt(office, SITI, "key-siti")
    assert hold.reached.wait(PATIENCE_S)
    app.deactivate_employee("E001")
    app.train(force=True)
    assert attempt(office, BUDI, "key-budi").name() == "Budi"
    hold.let_go.set()
    assert under_way.name() == Outcome.UNKNOWN


@pytest.fixture
def second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine for drawn faces: the same parts under another name are another identity."""
    spec = replace(engines.ENGINES["fake"], name="other")
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "other": spec})


@pytest.fixture
def following(app: SmartAbsen, flags: dict[str, object], office: SmartAbsen) -> Iterator[SmartAbsen]:
    """The same, but the engine is left to the gallery."""
    with SmartAbsen.open(flags={**flags, "engine": "auto"}) as opened:
        opened.services.recognise_at_once(2, threads=1)
        yield opened


@pytest.mark.usefixtures("second_engine")
def test_another_engine_in_the_middle_of_an_attempt(
    following: SmartAbsen, flags: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt ends with the engine of its beginning, which is closed afterwards; the next one has the new one."""
    following.checkin.warm_up()
    before = following.services.engine
    closed: list[object] = []
    monkeypatch.setattr(FakeEmbedder, "close", lambda embedder: closed.append(embedder))
    hold = Hold(monkeypatch)
    under_way = attempt(following, SITI, "key-siti")
    assert hold.reached.wait(PATIENCE_S)
    with SmartAbsen.open(flags={**flags, "engine": "other"}) as changer:
        assert changer.reembedding.run(mode="switch").switched
    assert attempt(following, BUDI, "key-budi").name() == "Budi"
    assert following.services.engine.identity.engine == "other"
    assert before.embedder not in closed
    hold.let_go.set()
    assert under_way.name() == "Siti"
    assert before.embedder in closed
    with following.services.database.read() as session:
        found = {punch.model_digest for punch in _punches(session)}
    assert found == {before.identity.digest, following.services.engine.identity.digest}


def _punches(session: Any) -> list[Any]:
    from smartabsen.attendance import punch_rows

    return [punch for key in ("key-siti", "key-budi") if (punch := punch_rows.find_by_key(session, key)) is not None]


@pytest.mark.usefixtures("second_engine")
def test_pictures_that_the_engine_before_embedded_are_not_stored_for_the_new_one(
    following: SmartAbsen, monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    """Whoever enrols while the engine is changed is told, and tries again."""
    following.enrolments.add("E3", "Contoh 3")
    picture = PictureFile("3.png", draw("3.png", 3).read_bytes())
    examine = enrolments._examine

    def change_meanwhile(*given: Any) -> Any:
        exam = examine(*given)
        services = following.services
        other = replace(services.engine.identity, engine="other")
        with services.database.write() as session:
            assert meta.replace_active_model(session, services.engine.identity, other)
        services.use_engine(services.build_engine("other"))
        return exam

    monkeypatch.setattr(enrolments, "_examine", change_meanwhile)
    with pytest.raises(EngineMismatchError):
        following.enrolments.add_pictures("E3", [picture])
    assert following.templates_of("E3") == ()


def test_a_recogniser_that_fails_goes_on_with_the_next_person(
    office: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose picture it was gets the error; no place is lost."""
    search = FakeDetector.detect

    def fail(*_given: object) -> None:
        raise RuntimeError("out of order")

    for number in range(3):
        monkeypatch.setattr(FakeDetector, "detect", fail)
        assert isinstance(attempt(office, SITI, f"key-fails-{number}").answer(), RuntimeError | ModelError)
    monkeypatch.setattr(FakeDetector, "detect", search)
    test_two_faces_are_searched_at_the_same_time(office, monkeypatch)


def test_a_look_at_a_movement_waits_for_no_attempt(office: SmartAbsen) -> None:
    """All recognisers are at work, and the person still sees how far the movement is."""
    image = np.full((480, 640, 3), 120, np.uint8)
    draw_face(image, 1, centre_xy=(320, 240), size_px=170)
    frame = cv2.imencode(".jpg", image)[1].tobytes()
    looks: list[object] = []
    thread = threading.Thread(
        target=lambda: looks.append(office.checkin.look(frame, LivenessAction.TURN_LEFT, ())), daemon=True
    )
    with office.services.recognising(), office.services.recognising():
        thread.start()
        thread.join(PATIENCE_S)
        assert len(looks) == 1


def test_attempts_of_one_person_come_one_after_the_other(office: SmartAbsen) -> None:
    """Each is to see how the one before ended; other people do not wait."""
    attempts = Attempts(office.settings.liveness, RateLimits(office.services))
    order: list[str] = []

    def again() -> None:
        with attempts.one_at_a_time(1):
            order.append("second")

    with attempts.one_at_a_time(1):
        thread = threading.Thread(target=again, daemon=True)
        thread.start()
        with attempts.one_at_a_time(2):
            order.append("somebody else")
        thread.join(0.05)
        order.append("first")
    thread.join(PATIENCE_S)
    assert order == ["somebody else", "first", "second"]
