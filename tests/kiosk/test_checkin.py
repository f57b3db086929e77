"""Attendance by a burst of frames."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen import InvalidInputError, NotTrainedError, Outcome, SmartAbsen
from smartabsen.gallery.model_file import load_model, replace_model
from smartabsen.gallery.model_rows import put_record
from smartabsen.kernel.domain import Employee, Match, Measure
from smartabsen.kiosk.checkin import Burst, _ClaimLimits, _confirmed
from smartabsen.org.limits import RateLimits
from smartabsen.recognition import quality
from smartabsen.recognition.detectors.fake import draw_face
from smartabsen.trust import audit_rows

Draw = Callable[..., Path]
Drawn = tuple[int, int, int]
"""Person, middle of the face from the left, size."""


_walls = itertools.cycle(range(60, 120))


def burst(*scenes: Sequence[Drawn], repeat: int = 1) -> Burst:
    """Frames, each with these faces, which sway, before a moving wall; no two bursts have the same one."""
    frames, wall = [], next(_walls)
    for number, scene in enumerate(scenes * repeat):
        image = np.full((480, 960, 3), wall, np.uint8)
        cv2.rectangle(image, (20 + 4 * number, 0), (90 + 4 * number, 479), (200, 220, 230), -1)
        for person, left, size_px in scene:
            draw_face(image, person, centre_xy=(left + 2 * number, 240), size_px=size_px)
        frames.append(cv2.imencode(".jpg", image)[1].tobytes())
    return Burst(frames, [0.25 * number for number in range(len(frames))])


SITI: list[Drawn] = [(1, 480, 170)]
BUDI: list[Drawn] = [(2, 480, 170)]


@pytest.fixture
def people(app: SmartAbsen, draw: Draw) -> dict[str, Employee]:
    """Siti and Budi, enrolled and trained; Tono has no template."""
    found = {}
    for person, (code, name) in {1: ("E001", "Siti"), 2: ("E002", "Budi")}.items():
        photos = [draw(f"{code}-{number}.png", person) for number in range(3)]
        found[name] = app.enrol(name, photos, code=code).employee
    app.train(force=True)
    found["Tono"] = app.enrol("Tono", [], code="E003").employee
    return found


@pytest.mark.usefixtures("people")
class TestOneOfMany:
    """Without a paired phone the face is compared with everybody."""

    def test_the_person_is_recorded(self, app: SmartAbsen) -> None:
        """With the punch as answer."""
        result = app.checkin.attempt(burst(SITI, repeat=4), key="key-1")
        assert (result.outcome, result.employee and result.employee.name) == (Outcome.RECOGNIZED, "Siti")
        again = app.checkin.attempt(burst(SITI, repeat=4), key="key-2")
        assert again.outcome is Outcome.ALREADY_RECORDED

    def test_somebody_far_behind_does_not_matter_and_somebody_beside_does(self, app: SmartAbsen) -> None:
        """One face is meant."""
        behind, beside = burst([*SITI, (2, 800, 80)], repeat=4), burst([*SITI, (2, 800, 160)], repeat=4)
        assert app.checkin.attempt(behind, key="key-1").outcome is Outcome.RECOGNIZED
        assert app.checkin.attempt(beside, key="key-2").outcome is Outcome.SEVERAL_FACES

    def test_two_people_one_after_the_other_are_nobody(self, app: SmartAbsen) -> None:
        """A burst is of one person."""
        assert app.checkin.attempt(burst(SITI, SITI, BUDI, BUDI), key="key-1").outcome is Outcome.AMBIGUOUS

    def test_a_face_in_one_frame_only_is_not_enough(self, app: SmartAbsen) -> None:
        """Two frames must agree."""
        assert app.checkin.attempt(burst(SITI, [], [], []), key="key-1").outcome is Outcome.NO_FACE

    def test_who_was_deactivated_is_a_stranger(self, app: SmartAbsen) -> None:
        """At once, before the next training."""
        app.deactivate_employee("E001")
        assert app.checkin.attempt(burst(SITI, repeat=4), key="key-1").outcome is Outcome.UNKNOWN

    def test_a_covered_mouth_is_told_with_the_refusal(self, app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that the browser can say what to do; only what most of the compared frames show."""
        stranger = [(5, 480, 170)]
        assert not app.checkin.attempt(burst(stranger, repeat=4), key="key-1").covered
        monkeypatch.setattr(quality, "COVERED_APART", -1.0)
        result = app.checkin.attempt(burst(stranger, repeat=4), key="key-2")
        assert (result.outcome, result.covered) == (Outcome.UNKNOWN, True)

    def test_a_new_training_is_taken_over(self, app: SmartAbsen, draw: Draw) -> None:
        """Without a restart."""
        assert app.checkin.attempt(burst([(5, 480, 170)], repeat=4), key="key-1").outcome is Outcome.UNKNOWN
        app.enrol("Rini", [draw(f"rini-{number}.png", 5) for number in range(3)], code="E005")
        app.train(force=True)
        assert app.checkin.attempt(burst([(5, 480, 170)], repeat=4), key="key-2").outcome is Outcome.RECOGNIZED

    def test_a_training_of_another_machine_is_taken_over(
        self, app: SmartAbsen, draw: Draw, flags: dict[str, object], tmp_path: Path
    ) -> None:
        """A worker watches the database from its first attempt on, until it ends."""
        assert app.checkin.attempt(burst([(5, 480, 170)], repeat=4), key="key-1").outcome is Outcome.UNKNOWN
        (watch,) = [thread for thread in threading.enumerate() if thread.name == "gallery watch"]
        home = tmp_path / "elsewhere"
        (home / "secrets").mkdir(parents=True)
        shutil.copy(app.services.key_chain.path, home / "secrets" / "keys.json")
        with SmartAbsen.open(
            flags={**flags, "home": str(home), "database_url": app.settings.database_address}
        ) as other:
            other.enrol("Rini", [draw(f"rini-{number}.png", 5) for number in range(3)], code="E005")
            version = other.train(force=True).version
        for _ in range(1000):
            if load_model(app.settings.assets_dir, app.services.key_chain.ring()).version == version:
                break
            time.sleep(0.02)
        assert app.checkin.attempt(burst([(5, 480, 170)], repeat=4), key="key-2").outcome is Outcome.RECOGNIZED
        app.close()
        assert not watch.is_alive()

    def test_threads_share_it(self, app: SmartAbsen) -> None:
        """Each gets the answer to its own frames."""
        answers: dict[int, str] = {}

        def work(number: int) -> None:
            result = app.checkin.attempt(burst(SITI if number % 2 else BUDI, repeat=4), key=f"key-{number}")
            answers[number] = result.employee.name if result.employee else result.outcome

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {number: "Siti" if number % 2 else "Budi" for number in range(8)}


def test_the_owner_of_the_phone_is_compared_alone(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """Another face, known or not, writes an entry in the audit trail and nothing else."""
    assert app.checkin.attempt(burst(BUDI, repeat=4), key="k-1", only=people["Siti"]).outcome is Outcome.OTHER_FACE
    stranger = burst([(9, 480, 170)], repeat=4)
    assert app.checkin.attempt(stranger, key="k-2", only=people["Siti"]).outcome is Outcome.OTHER_FACE
    with app.services.database.read() as session:
        entries = [one.details for one in audit_rows.latest(session, 2)]
    kiosk = {"kiosk": app.services.kiosk_name}
    assert entries == [kiosk, {**kiosk, "face_of": "E002"}]
    assert app.checkin.attempt(burst(SITI, repeat=4), key="k-3", only=people["Siti"]).outcome is Outcome.RECOGNIZED


def judge(matches: list[tuple[Outcome, int, float]], own: list[float]) -> Outcome:
    """Return the decision on somebody whose phone names employee 1: 0.3 for two faces, a margin of 0.1."""
    found = [Match(outcome, label, similarity, 0, 0.0) for outcome, label, similarity in matches]
    return _confirmed(found, own, 1, _ClaimLimits(0.3, 0.1)).outcome


def test_whom_a_phone_names_is_compared_with_that_person_only() -> None:
    """Below the threshold of a crowd, and with a colleague near by: recognised; one frame of two is not enough."""
    unknown, ambiguous = Outcome.UNKNOWN, Outcome.AMBIGUOUS
    assert judge([(unknown, 1, 0.35)] * 2, [0.35, 0.31]) is Outcome.RECOGNIZED
    assert judge([(ambiguous, 2, 0.55)] * 2, [0.5, 0.5]) is Outcome.RECOGNIZED
    assert judge([(unknown, 1, 0.35)] * 2, [0.35, 0.29]) is Outcome.OTHER_FACE


def test_who_is_clearly_somebody_else_is_refused_with_anybodys_phone() -> None:
    """Recognised among all, or nearer to another by the margin, in a single frame."""
    unknown, known = Outcome.UNKNOWN, Outcome.RECOGNIZED
    assert judge([(unknown, 1, 0.35), (unknown, 2, 0.45)], [0.35, 0.34]) is Outcome.OTHER_FACE
    assert judge([(unknown, 1, 0.35), (known, 2, 0.6)], [0.35, 0.55]) is Outcome.OTHER_FACE
    assert judge([(unknown, 1, 0.35), (unknown, 2, 0.29)], [0.35, 0.1]) is Outcome.OTHER_FACE, "too unlike"


def test_the_limit_for_two_faces_is_that_of_the_trained_model(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """Among all nobody reaches a threshold of 0.9999; the owner of the phone is let in by the one for two faces."""
    ring = app.services.key_chain.ring()
    trained = load_model(app.settings.assets_dir, ring)
    replace_model(app.settings.assets_dir, trained.with_limits(0.9999, trained.margin, 0.6), ring)
    with app.services.database.write() as session:
        put_record(session, load_model(app.settings.assets_dir, ring), ring)
    assert app.checkin.attempt(burst(SITI, repeat=4), key="k-1").outcome is Outcome.UNKNOWN
    assert app.checkin.attempt(burst(SITI, repeat=4), key="k-2", only=people["Siti"]).outcome is Outcome.RECOGNIZED
    assert app.checkin.attempt(burst(BUDI, repeat=4), key="k-3", only=people["Siti"]).outcome is Outcome.OTHER_FACE
    other, _ = app.refusals.latest()
    assert other.outcome is Outcome.OTHER_FACE


def test_an_owner_without_a_template_is_told_so(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """The PIN is for them."""
    assert app.checkin.attempt(burst(SITI, repeat=4), key="k-1", only=people["Tono"]).outcome is Outcome.NOT_ENROLLED


def test_a_refusal_is_kept_with_its_distance(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """For administrators: reason, place, and how far from what was needed; of who is recorded nothing is kept."""
    app.checkin.attempt(burst([(9, 480, 170)], repeat=4), key="k-1")
    app.checkin.attempt(burst([], [], [], []), key="k-2")
    app.checkin.attempt(burst([(9, 480, 170)], repeat=4), key="k-3", only=people["Siti"])
    app.checkin.attempt(burst(SITI, repeat=4), key="k-4")
    other, nobody, unknown = app.refusals.latest()
    assert [one.outcome for one in (other, nobody, unknown)] == [Outcome.OTHER_FACE, Outcome.NO_FACE, Outcome.UNKNOWN]
    assert unknown.kiosk == f"{app.services.kiosk_name}, browser"
    for refusal in (other, unknown):
        assert refusal.value is not None and refusal.short_by is not None
        assert 0.0 < refusal.short_by == pytest.approx(app.services.limits().threshold - refusal.value, abs=1e-4)
    assert nobody.value is None and nobody.short_by is None


@pytest.mark.usefixtures("people")
def test_a_face_that_is_too_dark_is_kept_with_its_brightness(app: SmartAbsen) -> None:
    """And with what was needed."""
    frames = []
    for number in range(4):
        image = np.full((480, 640, 3), 20 + number, dtype=np.uint8)
        draw_face(image, 1, centre_xy=(300 + 4 * number, 240), size_px=170, light=0.1)
        frames.append(cv2.imencode(".png", image)[1].tobytes())
    assert app.checkin.attempt(Burst(frames, [0.0, 0.25, 0.5, 0.75]), key="k-1").outcome is Outcome.TOO_DARK
    (refusal,) = app.refusals.latest()
    assert refusal.measure is Measure.BRIGHTNESS and refusal.measured is not None
    assert 0.0 < refusal.measured.value < refusal.measured.limit == quality.PROBE_LIMITS.min_brightness


def test_a_frame_that_no_camera_gave_is_kept_as_refused_and_nothing_where_the_settings_say_so(
    app: SmartAbsen, flags: dict[str, object], people: dict[str, Employee]
) -> None:
    """A burst that is sent again with another key; ``kiosk.refusals_days = 0`` keeps none."""
    same = burst(SITI, repeat=4)
    app.checkin.attempt(same, key="k-1")
    app.checkin.attempt(same, key="k-2")
    assert [one.outcome for one in app.refusals.latest()] == [Outcome.NOT_A_CAMERA]
    with SmartAbsen.open(flags={**flags, "kiosk.refusals_days": 0}) as silent:
        assert silent.checkin.attempt(same, key="k-3").outcome is Outcome.NOT_A_CAMERA
        assert len(silent.refusals.latest()) == 1


@pytest.mark.usefixtures("people")
def test_a_frame_in_another_file_is_the_same_frame(app: SmartAbsen) -> None:
    """A remark in the head of the file, bytes behind its end, or a lossless format make no new picture of it."""
    first = burst(SITI, repeat=4)
    assert app.checkin.attempt(first, key="k-1").outcome is Outcome.RECOGNIZED
    remark = b"\xff\xfe" + (2 + 5).to_bytes(2, "big") + b"again"
    changes: list[Callable[[bytes], bytes]] = [
        lambda jpeg: jpeg[:2] + remark + jpeg[2:],
        lambda jpeg: jpeg + b"again",
        lambda jpeg: cv2.imencode(".png", cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))[1].tobytes(),
    ]
    for number, change in enumerate(changes):
        again = Burst([change(frame) for frame in first.frames], first.times_s)
        assert app.checkin.attempt(again, key=f"again-{number}").outcome is Outcome.NOT_A_CAMERA


def test_a_burst_has_three_to_twelve_frames(app: SmartAbsen) -> None:
    """Fewer show no movement, more are not needed."""
    for count in (0, 2, 13):
        with pytest.raises(InvalidInputError, match=str(count)):
            app.checkin.attempt(Burst([bytes([number]) for number in range(count)], range(count)), key="key-1")


def test_without_a_training_nobody_can_be_recognised(app: SmartAbsen) -> None:
    """The error says which command is missing; warming up says the same."""
    with pytest.raises(NotTrainedError):
        app.checkin.attempt(burst(SITI, repeat=4), key="key-1")
    with pytest.raises(NotTrainedError):
        app.checkin.warm_up()


@pytest.mark.usefixtures("people")
def test_a_still_face_with_noise_and_a_clock_is_not_live(app: SmartAbsen) -> None:
    """What moves around the face is no life."""
    random = np.random.default_rng(4)
    frames = []
    for number in range(6):
        image = np.full((480, 960, 3), 80, np.uint8)
        draw_face(image, 1, centre_xy=(480, 240), size_px=170)
        noisy = np.clip(image + random.normal(0.0, 3.0, image.shape), 0, 255).astype(np.uint8)
        cv2.putText(noisy, f"08:0{number}", (20, 200), cv2.FONT_HERSHEY_SIMPLEX, 5.0, (255, 255, 255), 20)
        frames.append(cv2.imencode(".jpg", noisy)[1].tobytes())
    still = Burst(frames, [0.25 * number for number in range(6)])
    assert app.checkin.attempt(still, key="k-still").outcome is Outcome.NOT_LIVE


def test_after_five_wrong_faces_with_one_phone_there_is_a_pause(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """NIST SP 800-63B: over all kiosks and workers; the way by PIN stays, and other people are not kept."""
    for number in range(5):
        wrong = app.checkin.attempt(burst(BUDI, repeat=4), key=f"k-{number}", only=people["Siti"])
        assert wrong.outcome is Outcome.OTHER_FACE
    elsewhere = type(app.checkin)(app.services, RateLimits(app.services), lambda: None)
    right = elsewhere.attempt(burst(SITI, repeat=4), key="k-right", only=people["Siti"])
    assert right.outcome is Outcome.TOO_MANY_ATTEMPTS
    assert elsewhere.attempt(burst(BUDI, repeat=4), key="k-budi", only=people["Budi"]).outcome is Outcome.RECOGNIZED


def test_wrong_faces_at_once_get_no_further_tries(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """Sixteen browsers with one phone: each is counted before its face is looked at."""
    bursts = [burst(BUDI, repeat=4) for _ in range(16)]
    together = threading.Barrier(len(bursts))

    def attempt(number: int) -> Outcome:
        together.wait(20)
        return app.checkin.attempt(bursts[number], key=f"k-{number}", only=people["Siti"]).outcome

    with ThreadPoolExecutor(len(bursts)) as pool:
        outcomes = list(pool.map(attempt, range(len(bursts))))
    assert outcomes.count(Outcome.OTHER_FACE) <= 5
    assert set(outcomes) == {Outcome.OTHER_FACE, Outcome.TOO_MANY_ATTEMPTS}


def test_the_fifth_face_pauses_nothing_when_it_is_no_wrong_one(app: SmartAbsen, people: dict[str, Employee]) -> None:
    """Bad light is nobody's fault, and the right face forgets the wrong ones before it."""
    for number in range(4):
        app.checkin.attempt(burst(BUDI, repeat=4), key=f"k-{number}", only=people["Siti"])
    for number in range(3):
        dark = app.checkin.attempt(burst([], repeat=4), key=f"k-empty-{number}", only=people["Siti"])
        assert dark.outcome is Outcome.NO_FACE
    assert app.checkin.attempt(burst(SITI, repeat=4), key="k-right", only=people["Siti"]).outcome is Outcome.RECOGNIZED
    for number in range(4):
        wrong = app.checkin.attempt(burst(BUDI, repeat=4), key=f"k-again-{number}", only=people["Siti"])
        assert wrong.outcome is Outcome.OTHER_FACE
