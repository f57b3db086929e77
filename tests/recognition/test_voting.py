"""The vote: when the frames of a track agree, and when it is somebody else who stands there."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import FloatArray, Match, Outcome
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.matchers.exact import ExactMatcher
from smartabsen.recognition.quality import PROBE_LIMITS
from smartabsen.recognition.recognizer import Recognizer
from smartabsen.recognition.tracking import Tracker
from smartabsen.recognition.voting import TrackVote, Verdict

ANI, BUDI, STRANGER = 1, 2, 0
FPS = 8


class Scene:
    """Frames of one track, eight a second. A face is its person's direction with a little noise."""

    def __init__(self, **options: float) -> None:
        self.vote = TrackVote(votes=3, same_person=0.4, **options)  # type: ignore[arg-type]
        self.now_s = 100.0
        self.rng = np.random.default_rng(0)

    def face(self, person: int, noise: float = 0.1) -> FloatArray:
        direction = np.eye(64, dtype=np.float32)[person]
        face = direction + noise * unit(self.rng.normal(size=64))
        return unit(face)

    def see(self, outcome: Outcome, label: int, *, person: int | None = None, noise: float = 0.1) -> Verdict | None:
        """Show a frame that was decided as ``outcome`` for ``label``; ``person`` is who it really is."""
        self.now_s += 1 / FPS
        match = Match(outcome, label, 0.6, 9, 0.3)
        return self.vote.add_match(match, self.face(label if person is None else person, noise), self.now_s)

    def recognise(self, label: int, **kwargs: object) -> Verdict | None:
        return self.see(Outcome.RECOGNIZED, label, **kwargs)  # type: ignore[arg-type]

    def unknown(self, person: int = STRANGER) -> Verdict | None:
        return self.see(Outcome.UNKNOWN, BUDI, person=person)

    def refuse(self, reason: Outcome) -> Verdict | None:
        self.now_s += 1 / FPS
        return self.vote.add_refusal(reason, self.now_s)


def unit(vector: np.ndarray) -> FloatArray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def outcomes(verdicts: list[Verdict | None]) -> list[Outcome | None]:
    return [verdict and verdict.outcome for verdict in verdicts]


def test_three_frames_that_agree_decide_once() -> None:
    """The verdict comes with the third frame, and is not repeated with the fourth."""
    scene = Scene()
    verdicts = [scene.recognise(ANI) for _ in range(5)]
    assert outcomes(verdicts) == [None, None, Outcome.RECOGNIZED, None, None]
    assert verdicts[2] is not None
    assert verdicts[2].match is not None
    assert (verdicts[2].match.label, verdicts[2].frames) == (ANI, 3)
    assert scene.vote.verdict == verdicts[2]


def test_bad_frames_between_good_ones_do_not_matter() -> None:
    """Three of the last six are enough."""
    scene = Scene()
    for _ in range(2):
        assert scene.recognise(ANI) is None
        assert scene.unknown(ANI) is None
    assert outcomes([scene.recognise(ANI)]) == [Outcome.RECOGNIZED]


def test_the_match_of_a_verdict_is_the_strongest() -> None:
    """The similarity that is stored is the best of the frames that agreed."""
    scene = Scene()
    for similarity in (0.5, 0.9, 0.7):
        match = Match(Outcome.RECOGNIZED, ANI, similarity, 9, 0.3)
        verdict = scene.vote.add_match(match, scene.face(ANI), 0.1)
    assert verdict is not None
    assert verdict.match is not None
    assert verdict.match.similarity == 0.9


def test_frames_that_name_two_people_decide_for_neither() -> None:
    """A face that is now taken for one and now for another is ambiguous, after enough frames."""
    scene = Scene()
    verdicts = [scene.recognise(label, person=ANI) for label in [ANI, BUDI] * 6]
    decided = [verdict for verdict in verdicts if verdict is not None]
    assert outcomes(decided) == [Outcome.AMBIGUOUS]
    assert verdicts.index(decided[0]) == 11


def test_somebody_who_walks_up_is_not_turned_away_for_the_first_frames() -> None:
    """Five frames that know nobody are followed by good ones: no refusal is ever said."""
    scene = Scene()
    verdicts = [scene.unknown(ANI) for _ in range(5)] + [scene.recognise(ANI) for _ in range(3)]
    assert outcomes(verdicts) == [None] * 7 + [Outcome.RECOGNIZED]


def test_a_stranger_is_refused_after_enough_frames_and_enough_time() -> None:
    """Six frames and a second, once."""
    scene = Scene(refuse_after_s=1.0)
    verdicts = [scene.unknown() for _ in range(20)]
    assert outcomes(verdicts) == [None] * 8 + [Outcome.UNKNOWN] + [None] * 11
    scene = Scene(refuse_after_s=0.0)
    assert outcomes([scene.unknown() for _ in range(6)])[-2:] == [None, Outcome.UNKNOWN]


def test_the_most_frequent_reason_is_told() -> None:
    """Four ambiguous and two unknown frames are ambiguous; what follows does not flicker."""
    scene = Scene(refuse_after_s=0.0)
    seen = [Outcome.AMBIGUOUS, Outcome.UNKNOWN] + [Outcome.AMBIGUOUS] * 3 + [Outcome.UNKNOWN] * 9
    verdicts = [scene.see(outcome, ANI) for outcome in seen]
    assert [verdict.outcome for verdict in verdicts if verdict] == [Outcome.AMBIGUOUS]


def test_who_was_refused_and_comes_nearer_is_recognised() -> None:
    """A refusal is not the last word."""
    scene = Scene()
    for _ in range(10):
        scene.unknown(ANI)
    assert scene.vote.verdict is not None
    assert scene.vote.verdict.outcome is Outcome.UNKNOWN
    assert outcomes([scene.recognise(ANI) for _ in range(3)]) == [None, None, Outcome.RECOGNIZED]


def test_a_recognition_is_not_taken_back_by_frames_that_name_nobody() -> None:
    """Who was greeted and looks down is not told to be unknown."""
    scene = Scene()
    for _ in range(3):
        scene.recognise(ANI)
    assert [scene.unknown(ANI) for _ in range(30)] == [None] * 30
    assert scene.vote.verdict is not None
    assert scene.vote.verdict.outcome is Outcome.RECOGNIZED


def test_another_person_in_the_same_place_does_not_inherit_the_votes() -> None:
    """Two votes for Ani and one frame of Budi do not make Ani; Budi needs frames of his own."""
    scene = Scene()
    assert [scene.recognise(ANI), scene.recognise(ANI)] == [None, None]
    verdicts = [scene.recognise(BUDI), scene.recognise(BUDI), scene.recognise(BUDI)]
    assert outcomes(verdicts) == [None, None, Outcome.RECOGNIZED]
    assert verdicts[2] is not None
    assert verdicts[2].match is not None
    assert verdicts[2].match.label == BUDI


def test_a_stranger_in_the_same_place_is_not_the_one_who_was_recognised() -> None:
    """After the second unlike frame the verdict is gone, and the stranger is judged alone."""
    scene = Scene(refuse_after_s=0.0)
    for _ in range(3):
        scene.recognise(ANI)
    scene.unknown()
    assert scene.vote.verdict is not None
    scene.unknown()
    assert scene.vote.verdict is None
    assert outcomes([scene.unknown() for _ in range(4)]) == [None, None, None, Outcome.UNKNOWN]


def test_one_spoilt_frame_costs_nothing() -> None:
    """A frame that is like nothing before counts for nobody, and the votes before it stay."""
    scene = Scene()
    scene.recognise(ANI)
    scene.recognise(ANI)
    assert scene.see(Outcome.UNKNOWN, BUDI, person=40) is None
    assert outcomes([scene.recognise(ANI)]) == [Outcome.RECOGNIZED]


def test_two_different_spoilt_frames_are_no_other_person() -> None:
    """Frames that are not even like each other show nobody."""
    scene = Scene()
    for _ in range(3):
        scene.recognise(ANI)
    scene.see(Outcome.UNKNOWN, BUDI, person=40)
    scene.see(Outcome.UNKNOWN, BUDI, person=41)
    assert scene.vote.verdict is not None


def test_a_face_that_the_gallery_names_the_same_is_the_same_person() -> None:
    """Glasses taken off in front of the camera change the embedding, not the person."""
    scene = Scene()
    scene.recognise(ANI)
    scene.recognise(ANI)
    assert outcomes([scene.recognise(ANI, person=40)]) == [Outcome.RECOGNIZED]


def test_embeddings_are_wanted_until_decided_and_then_now_and_then() -> None:
    """A decided track costs one embedding a second."""
    scene = Scene(recheck_s=1.0)
    for _ in range(3):
        assert scene.vote.wants_embedding(scene.now_s)
        scene.recognise(ANI)
    assert not scene.vote.wants_embedding(scene.now_s + 0.9)
    assert scene.vote.wants_embedding(scene.now_s + 1.0)


def test_embeddings_are_wanted_at_once_when_something_changes() -> None:
    """After an unlike frame, and when somebody who was refused is recognised in a frame, all frames count."""
    scene = Scene()
    for _ in range(3):
        scene.recognise(ANI)
    scene.unknown()
    assert scene.vote.wants_embedding(scene.now_s)
    scene = Scene()
    for _ in range(10):
        scene.unknown(ANI)
    assert not scene.vote.wants_embedding(scene.now_s)
    scene.recognise(ANI)
    assert scene.vote.wants_embedding(scene.now_s)


def test_guidance_comes_only_when_its_reason_persists() -> None:
    """One dark frame says nothing; a second and a half of them does, once."""
    scene = Scene(guide_after_s=1.5)
    verdicts = [scene.refuse(Outcome.TOO_DARK) for _ in range(60)]
    assert outcomes(verdicts[:12]) == [None] * 12
    assert verdicts[12] == Verdict(Outcome.TOO_DARK, None, 13)
    assert verdicts[13:] == [None] * 47
    assert scene.vote.wants_embedding(scene.now_s)


def test_a_compared_frame_starts_the_patience_anew() -> None:
    """Who can be compared now and then needs no guidance."""
    scene = Scene(guide_after_s=1.5)
    for _ in range(4):
        assert [scene.refuse(Outcome.BLURRED) for _ in range(12)] == [None] * 12
        scene.unknown(ANI)


def test_of_several_reasons_the_most_frequent_is_told_and_a_new_one_later() -> None:
    """Guidance follows what hinders the person now."""
    scene = Scene(guide_after_s=1.0)
    mixed = [scene.refuse(reason) for reason in [Outcome.TOO_SMALL, Outcome.TOO_SMALL, Outcome.BLURRED] * 4]
    assert [verdict.outcome for verdict in mixed if verdict] == [Outcome.TOO_SMALL]
    near = [scene.refuse(Outcome.TOO_DARK) for _ in range(30)]
    assert [verdict.outcome for verdict in near if verdict] == [Outcome.TOO_DARK]


def test_guidance_gives_way_to_a_decision_and_does_not_follow_one() -> None:
    """Who came into the light is recognised; who then turns away to go is told nothing."""
    scene = Scene(guide_after_s=1.0)
    for _ in range(15):
        scene.refuse(Outcome.TOO_DARK)
    assert outcomes([scene.recognise(ANI) for _ in range(3)])[-1] is Outcome.RECOGNIZED
    assert [scene.refuse(Outcome.TURNED_AWAY) for _ in range(40)] == [None] * 40


def test_one_vote_is_the_least() -> None:
    """A single frame may decide; none may not."""
    vote = TrackVote(votes=1, same_person=0.4)
    match = Match(Outcome.RECOGNIZED, ANI, 0.6, 9, 0.3)
    assert vote.add_match(match, unit(np.ones(4)), 0.0) == Verdict(Outcome.RECOGNIZED, match, 1)
    with pytest.raises(InvalidInputError):
        TrackVote(votes=0, same_person=0.4)


@pytest.mark.shared
@pytest.mark.parametrize("every", [3, 12])
def test_a_film_of_one_person_is_one_track_one_decision_and_few_embeddings(
    shared_dir: Path, models_dir: Path, every: int
) -> None:
    """At eight frames a second and at two: found, tracked, recognised once, and rechecked once a second."""
    engine = build_engine("openvino", models_dir=models_dir)
    recogniser = Recognizer(engine.detector, engine.embedder, limits=PROBE_LIMITS)
    film = cv2.VideoCapture(str(shared_dir / "faces" / "video" / "one_person.mp4"))
    tracker, matcher = Tracker(), ExactMatcher()
    vote = TrackVote(votes=3, same_person=engine.threshold)
    tracks, verdicts, embedded, seconds = set(), [], 0, 0.0
    for number in range(345):
        shown, image = film.read()
        assert shown
        if number % every:
            continue
        seconds = number / 25
        faces = recogniser.find(image)
        tracks |= set(tracker.update([face.box_xyxy for face in faces], seconds))
        if not faces or not vote.wants_embedding(seconds):
            continue
        (seen,) = recogniser.examine(image, faces[:1])
        if seen.embedding is None:
            continue
        if embedded == 0:
            matcher.fit(seen.embedding[None], np.array([ANI]))
        embedded += 1
        (match,) = matcher.match(seen.embedding[None], threshold=engine.threshold, margin=engine.margin)
        verdicts.append(vote.add_match(match, seen.embedding, seconds))
    assert tracks == {1}
    assert [verdict.outcome for verdict in verdicts if verdict] == [Outcome.RECOGNIZED]
    assert embedded <= 4 + seconds
