"""What people read about an outcome: one sentence, and the next step.

Codes are for scripts, these sentences are for the person at the camera and for whoever enrols photos. All are
message ids of the catalogue; :func:`describe_outcome` and :func:`greet` answer in the current language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from .domain import (
    AT_MOST,
    AutomaticLimits,
    Basis,
    CheckLevel,
    Employee,
    EnrolAdvice,
    ImportVerdict,
    KioskEvent,
    LicenceClass,
    LivenessPrompt,
    Measure,
    MovementRequest,
    MovementStage,
    Outcome,
    PhotoVerdict,
    PunchResult,
    Refusal,
    Status,
    WeakReason,
)
from .i18n import N_, _


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """Message ids of an outcome: what it is, and what to do next (empty where nothing is left to do)."""

    sentence: str
    next_step: str = ""


OUTCOMES: Final[Mapping[Outcome, OutcomeText]] = {
    Outcome.ACCEPTED: OutcomeText(N_("Accepted.")),
    Outcome.RECOGNIZED: OutcomeText(N_("Recognised.")),
    Outcome.ALREADY_RECORDED: OutcomeText(N_("Already recorded."), N_("Nothing more to do.")),
    Outcome.PENDING: OutcomeText(
        N_("Recognised, and kept on this kiosk."), N_("It counts; the database gets it when it answers again.")
    ),
    Outcome.UNKNOWN: OutcomeText(
        N_("Not recognised."), N_("Look straight at the camera; if it happens again, ask to be enrolled.")
    ),
    Outcome.AMBIGUOUS: OutcomeText(
        N_("Looks like more than one person."), N_("Look straight at the camera and come a little closer.")
    ),
    Outcome.NO_FACE: OutcomeText(N_("No face found."), N_("Show the whole face from the front.")),
    Outcome.SEVERAL_FACES: OutcomeText(N_("Several faces."), N_("Only one person may be in the picture.")),
    Outcome.TOO_SMALL: OutcomeText(N_("The face is too small."), N_("Come closer.")),
    Outcome.TOO_DARK: OutcomeText(N_("Too dark."), N_("Face the light.")),
    Outcome.TOO_BRIGHT: OutcomeText(N_("Too bright."), N_("Turn away from the strong light.")),
    Outcome.BLURRED: OutcomeText(N_("Blurred."), N_("Hold still; wipe the lens if it stays so.")),
    Outcome.TURNED_AWAY: OutcomeText(N_("The face is turned away."), N_("Look straight at the camera.")),
    Outcome.NOT_UPRIGHT: OutcomeText(
        N_("The picture does not seem to stand upright."), N_("Turn it upright, so that the eyes are above the mouth.")
    ),
    Outcome.UNREADABLE: OutcomeText(
        N_("The picture cannot be read."), N_("Use a JPEG, PNG or WebP file that is there and complete.")
    ),
    Outcome.TOO_LARGE: OutcomeText(N_("The picture is too large."), N_("Use one with fewer pixels.")),
    Outcome.NOT_LIVE: OutcomeText(
        N_("This looks like a picture of a face."), N_("Stand in front of the camera yourself.")
    ),
    Outcome.OTHER_FACE: OutcomeText(
        N_("This face does not belong to the phone that confirmed."),
        N_("Only the owner of the phone can be recorded; look straight at the camera and try again."),
    ),
    Outcome.NOT_ENROLLED: OutcomeText(
        N_("There are no photos of you to compare with."),
        N_("Use the PIN on your phone, or ask to be enrolled."),
    ),
    Outcome.NOT_A_CAMERA: OutcomeText(
        N_("These pictures do not come from a camera that is looking now."),
        N_("Move a little. If it stays so, tell the administrator that the camera stands still."),
    ),
    Outcome.MOVEMENT_NEEDED: OutcomeText(
        N_("It is not quite clear that you are here yourself."),
        N_("One movement of the head decides: follow the arrow."),
    ),
    Outcome.CHALLENGE_FAILED: OutcomeText(
        N_("The movement was not seen."), N_("Look straight at the camera, then follow slowly with your whole head.")
    ),
    Outcome.LIVENESS_UNAVAILABLE: OutcomeText(
        N_("It could not be checked that you are here yourself, so nothing was recorded."),
        N_("Tell the administrator, and record your attendance in another way."),
    ),
    Outcome.TOO_MANY_ATTEMPTS: OutcomeText(
        N_("Too many attempts."), N_("Wait a few minutes, or use another way: your PIN, or ask the administrator.")
    ),
    Outcome.AT_THE_EDGE: OutcomeText(
        N_("The face is at the edge of the picture."), N_("Move to the middle and step back a little.")
    ),
    Outcome.DUPLICATE_FACE: OutcomeText(
        N_("The face belongs to somebody who is enrolled already."), N_("Check whose photo this is.")
    ),
    Outcome.DUPLICATE_PHOTO: OutcomeText(N_("This photo is enrolled already."), N_("Use another photo.")),
    Outcome.TOO_MANY_PHOTOS: OutcomeText(
        N_("The person has enough photos."), N_("Raise enrolment.max_photos if more are really needed.")
    ),
}

_CAMERA_AGAIN: Final = N_("Try again; if it stays so, tell your administrator: it is the camera, not you.")
AT_CAMERA: Final[Mapping[Outcome, str]] = {Outcome.UNREADABLE: _CAMERA_AGAIN, Outcome.TOO_LARGE: _CAMERA_AGAIN}
"""Next steps before a camera, where those for photos in files cannot help."""
_PLACES: Final = ((0.4, N_("on the left")), (0.6, N_("in the middle")), (1.0, N_("on the right")))

COVERED: Final = N_("Mouth and chin seem to be covered: lower the mask, and look straight at the camera.")
_COVERED_HINDERS: Final = frozenset({Outcome.UNKNOWN, Outcome.AMBIGUOUS, Outcome.OTHER_FACE})
"""Refusals of a compared face, which a mask may be the cause of."""

ADVICE: Final[Mapping[Outcome, str]] = {
    Outcome.UNKNOWN: N_("An employee? Add newer photos, best taken at this camera. Who is not enrolled stays unknown."),
    Outcome.AMBIGUOUS: N_("“smartabsen calibrate” names the people who look alike; add photos of both of them."),
    Outcome.NO_FACE: N_("Look at the camera's height, direction and light."),
    Outcome.SEVERAL_FACES: N_("Place the camera so that one person at a time stands before it."),
    Outcome.TOO_SMALL: N_("Hang the camera nearer, or lower recognition.min_face_px."),
    Outcome.TOO_DARK: N_("More light in front of the people, not behind them."),
    Outcome.TOO_BRIGHT: N_("Keep strong light off the people and the lens."),
    Outcome.BLURRED: N_("Wipe the lens; more light shortens the exposure."),
    Outcome.TURNED_AWAY: N_("Hang the camera at the height of the faces, where people look anyway."),
    Outcome.NOT_UPRIGHT: N_("Hang the camera upright."),
    Outcome.NOT_LIVE: N_(
        "Somebody may have held up a picture. If it was a person: more light, and nearer to the camera."
    ),
    Outcome.CHALLENGE_FAILED: N_("Show the person how: slowly, with the whole head, the face at least 90 pixels wide."),
    Outcome.LIVENESS_UNAVAILABLE: N_("“smartabsen doctor” says what is missing or broken."),
    Outcome.TOO_MANY_ATTEMPTS: N_(
        "After liveness.pause_s it goes on; until then the person's PIN, or a punch by hand."
    ),
    Outcome.NOT_A_CAMERA: N_("Somebody may have sent kept pictures. At a kiosk: look at the camera and its cable."),
    Outcome.OTHER_FACE: N_("The audit trail says whose phone it was, and whose face where that is known."),
    Outcome.NOT_ENROLLED: N_("Enrol the person, or set a PIN: smartabsen phone pin CODE"),
}
"""What an administrator does about refusals; where there is none, what the person was told."""

PROMPTS: Final[Mapping[LivenessPrompt, str]] = {
    LivenessPrompt.WAIT: N_("One moment: somebody else is being asked."),
    LivenessPrompt.SHOW_FACE: N_("Show your face to the camera."),
    LivenessPrompt.MOVE_CLOSER: N_("Come a little closer."),
    LivenessPrompt.LOOK_STRAIGHT: N_("Look straight at the camera."),
    LivenessPrompt.TURN_LEFT: N_("Turn your head slowly to your left."),
    LivenessPrompt.TURN_RIGHT: N_("Turn your head slowly to your right."),
    LivenessPrompt.LOOK_UP: N_("Raise your chin slowly."),
    LivenessPrompt.COME_CLOSER: N_("Bring your face slowly closer."),
}

STAGES: Final[Mapping[MovementStage, str]] = {
    MovementStage.NOTICED: N_("Seen. Slowly further."),
    MovementStage.FURTHER: N_("Good, a little further."),
    MovementStage.DONE: N_("Done."),
}
"""What a person is told while a movement goes on."""

STATUSES: Final[Mapping[Status, str]] = {
    Status.PRESENT: N_("Present"),
    Status.LATE: N_("Late"),
    Status.EXCUSED: N_("Excused"),
    Status.SICK: N_("Sick"),
}

MEASURE_NAMES: Final[Mapping[Measure, str]] = {
    Measure.SIMILARITY: N_("similarity"),
    Measure.LEAD: N_("lead over a second person"),
    Measure.LIVENESS: N_("score of liveness"),
    Measure.FACE_PX: N_("pixels of the face"),
    Measure.BRIGHTNESS: N_("brightness"),
    Measure.SHARPNESS: N_("sharpness"),
    Measure.YAW: N_("turn of the head"),
}
_FINE_MEASURES: Final = (Measure.SIMILARITY, Measure.LEAD, Measure.LIVENESS, Measure.YAW)
"""Measures between -1 and 1; the others are numbers of one or more."""

WEAK_REASONS: Final[Mapping[WeakReason, str]] = {
    WeakReason.MIXED: N_("the photos perhaps show two persons: look at them"),
    WeakReason.LOOK_ALIKE: N_("looks like {name}: more photos of both, or is it one person under two codes?"),
    WeakReason.BLURRED: N_("most photos are blurred: take sharp ones"),
    WeakReason.FEW_PHOTOS: N_("two photos only: add some"),
    WeakReason.UNLIKE: N_("the photos are unlike each other: add some as the person looks at the door today"),
}
"""Why somebody is recognised in few of their own photos, and what helps."""

ENROL_ADVICE: Final[Mapping[EnrolAdvice, str]] = {
    EnrolAdvice.MIXED: N_(
        "Some of these photos look like another person than the others of this code. Whoever they show would be "
        "recognised as this person: look at them, and remove a wrong one (smartabsen employee photos CODE, then "
        "smartabsen employee remove-photo)."
    ),
    EnrolAdvice.MORE_PHOTOS: N_(
        "Three to five different photos are recognised better: one to three from the front, then turned a little, in "
        "other light, with and without the glasses or the head-scarf that is worn every day."
    ),
    EnrolAdvice.VARY: N_(
        "Most of these photos are nearly the same. Many alike help no more than one: take some turned a little, and in "
        "other light."
    ),
    EnrolAdvice.FROM_THE_FRONT: N_("No photo shows the face from the front, as a kiosk sees it: add one that does."),
}

IMPORT_VERDICTS: Final[Mapping[ImportVerdict, str]] = {
    ImportVerdict.IMPORTED: N_("imported"),
    ImportVerdict.UPDATED: N_("updated"),
    ImportVerdict.SKIPPED: N_("skipped"),
    ImportVerdict.REJECTED: N_("rejected"),
    ImportVerdict.PENDING: N_("not reached"),
}

LICENCE_CLASSES: Final[Mapping[LicenceClass, str]] = {
    LicenceClass.FREE: N_("free for business use"),
    LicenceClass.NON_COMMERCIAL: N_("non-commercial research only"),
    LicenceClass.UNKNOWN: N_("unknown"),
}

CHECK_LEVELS: Final[Mapping[CheckLevel, str]] = {
    CheckLevel.OK: N_("ok"),
    CheckLevel.WARN: N_("warning"),
    CheckLevel.FAIL: N_("failed"),
    CheckLevel.SKIP: N_("not checked"),
}

KIOSK_ENDINGS: Final[Mapping[str, str]] = {
    "stopped": N_("Stopped."),
    "time_over": N_("The time is over."),
    "end_of_recording": N_("The recording has ended."),
    "window_closed": N_("The window was closed."),
}

# The hour at which each greeting begins; Indonesian has four of them (pagi, siang, sore, malam).
_GREETINGS: Final = (
    (18, N_("Good evening, {name}. {time}, {status}.")),
    (15, N_("Good afternoon, {name}. {time}, {status}.")),
    (11, N_("Good day, {name}. {time}, {status}.")),
    (3, N_("Good morning, {name}. {time}, {status}.")),
    (0, N_("Good evening, {name}. {time}, {status}.")),
)


def fill(message_id: str, params: Iterable[tuple[str, str]]) -> str:
    """Return a message with its places filled, in the current language."""
    return _(message_id, **dict(params))


def describe_outcome(outcome: Outcome, *, covered: bool = False) -> tuple[str, str]:
    """Return the sentence and the next step (may be empty) in the current language.

    Args:
        covered: The mouth seems to be covered: who was not recognised is told to lower the mask first.
    """
    text = OUTCOMES[outcome]
    return _(text.sentence), _(COVERED if covered and outcome in _COVERED_HINDERS else text.next_step)


def advise(outcome: Outcome) -> str:
    """Return what an administrator can do about a refusal, in the current language."""
    return _(ADVICE.get(outcome, OUTCOMES[outcome].next_step))


def describe_distance(refusal: Refusal) -> str:
    """Return how far a refusal was from its limit, in the current language; empty where that is no number."""
    if refusal.measure is None or refusal.measured is None:
        return ""
    digits = 3 if refusal.measure in _FINE_MEASURES else 1
    places = {
        "measure": _(MEASURE_NAMES[refusal.measure]),
        "value": f"{refusal.measured.value:.{digits}f}",
        "limit": f"{refusal.measured.limit:.{digits}f}",
    }
    if refusal.outcome in AT_MOST:
        return _("{measure} {value}, at most {limit} is allowed", **places)
    return _("{measure} {value}, {limit} is needed", **places)


def describe_prompt(prompt: LivenessPrompt) -> str:
    """Return what a person is asked to do, in the current language."""
    return _(PROMPTS[prompt])


def describe_request(request: MovementRequest, *, name: str = "") -> str:
    """Return what a person is asked to do now and how far they are, in the current language.

    Args:
        name: Whom it is meant for, where several people may read it.
    """
    doing = request.stage in (MovementStage.NOTICED, MovementStage.FURTHER)
    parts = [_(STAGES[request.stage])] if request.stage in STAGES else []
    if not doing:
        parts.append(describe_prompt(request.prompt))
    if request.steps > 1 and request.prompt is not LivenessPrompt.WAIT:
        parts.append(_("(step {step} of {steps})", step=request.step, steps=request.steps))
    told = " ".join(parts)
    return _("{name}: {told}", name=name, told=told) if name else told


def describe_verdict(verdict: PhotoVerdict) -> tuple[str, str]:
    """Return what became of a photo and what to do; both may name the employee whom the face looks like."""
    sentence, next_step = describe_outcome(verdict.outcome)
    if verdict.detail:
        sentence = fill(verdict.detail, verdict.params)
    if verdict.accepted:
        sentence = " ".join(filter(None, (sentence, tell_bystanders(verdict), tell_turned(verdict))))
    if verdict.unlike_others is not None:
        return sentence, _("This photo looks like another person than the others of this code: look at it.")
    if verdict.copy_of:
        text = N_("Nearly the same as {photo}, and teaches nothing new. Take one in other light, or turned a little.")
        return sentence, _(text, photo=verdict.copy_of)
    if verdict.accepted and verdict.quality is not None and verdict.quality.covered:
        return sentence, _("Mouth and chin seem to be covered. Without a mask people are recognised better.")
    if verdict.similar_to is None:
        return sentence, next_step
    who = _("Looks like {name} ({code}).", name=verdict.similar_to.name, code=verdict.similar_to.code)
    return sentence, f"{who} {next_step}"


def describe_at_camera(outcome: Outcome, *, covered: bool = False) -> tuple[str, str]:
    """Return the sentence and the next step for somebody before a camera, who has no file to choose."""
    sentence, next_step = describe_outcome(outcome, covered=covered)
    return sentence, _(AT_CAMERA.get(outcome, "")) or next_step


def tell_bystanders(verdict: PhotoVerdict) -> str:
    """Say which face of a photo with several was taken; empty where there is one."""
    if not verdict.bystanders:
        return ""
    place = next(text for limit, text in _PLACES if verdict.place <= limit)
    return _(N_("The largest of {count} faces was taken: {place}."), count=verdict.bystanders + 1, place=_(place))


def tell_turned(verdict: PhotoVerdict) -> str:
    """Say that a photo was turned upright; empty where it was not."""
    return _("The photo was turned by {degrees}°.", degrees=verdict.turned) if verdict.turned else ""


def refusal(outcome: Outcome, *, covered: bool = False) -> str:
    """Return the sentence and the next step as one line, as ``Too dark. Face the light.``"""
    return " ".join(part for part in describe_at_camera(outcome, covered=covered) if part)


def greet(result: PunchResult, zone: tzinfo) -> str:
    """Say to a person what their punch became: name, time and status.

    Args:
        result: The answer to the punch.
        zone: Zone of the site; times are shown in it.
    """
    local = result.punch.at.astimezone(zone)
    places = {
        "name": result.employee.name,
        "time": f"{local:%H:%M}",
        "status": _(STATUSES[result.punch.status or result.day.status]),
    }
    if result.outcome is Outcome.ALREADY_RECORDED:
        return _(N_("{name} is recorded already: {time}, {status}."), **places)
    if result.day.clock_out is not None and result.day.clock_out == result.punch.at:
        return _(N_("Goodbye, {name}. {time}."), **places)
    greeting = next(text for hour, text in _GREETINGS if local.hour >= hour)
    return _(greeting, **places)


def tell_pending(employee: Employee | None, at: datetime, zone: tzinfo) -> str:
    """Say to a person that the kiosk keeps their punch until the database answers.

    Args:
        employee: Who; None where the kiosk could not ask the database for names.
        at: When the person was recognised.
        zone: Zone of the site.
    """
    time = f"{at.astimezone(zone):%H:%M}"
    if employee is None:
        return _(N_("Recognised at {time}, kept on this kiosk. It counts as soon as the database answers."), time=time)
    return _(
        N_("{name}, {time}: kept on this kiosk. It counts as soon as the database answers."),
        name=employee.name,
        time=time,
    )


def tell_decision(event: KioskEvent, zone: tzinfo) -> str:
    """Say to a person what a decision of a kiosk means for them, in the current language."""
    assert event.outcome is not None
    if event.result is not None:
        return greet(event.result, zone)
    if event.outcome is Outcome.PENDING:
        return tell_pending(event.employee, event.at, zone)
    return refusal(event.outcome, covered=event.covered)


_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def local_text(value: str, zone: tzinfo) -> str:
    """Return a detail of the audit trail as people read it: an instant in the zone of the site, all else as it is."""
    if not _INSTANT.fullmatch(value):
        return value
    try:
        return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return value


def describe_weak(reasons: Iterable[WeakReason], *, resembles: str) -> str:
    """Say why somebody is recognised in few of their own photos, and what helps.

    Args:
        resembles: Name of who looks alike; empty unless that is a reason.
    """
    return "; ".join(fill(WEAK_REASONS[reason], (("name", resembles),)) for reason in reasons)


AUTOMATIC: Final[Mapping[Basis, str]] = {
    Basis.REFERENCE: N_("{people} people, FPIR {target}: by {pairs} pairs of other people"),
    Basis.OWN: N_("{people} people, FPIR {target}: stricter than by other people, since these look more alike"),
    Basis.ENGINE: N_("{people} people, FPIR {target}: the engine's own is strict enough"),
}
"""What an automatic threshold rests on."""
NO_REFERENCE: Final = N_("the engine's own: there is no reference for this model, so {target} is not promised")
BEYOND_REFERENCE: Final = N_(
    "the reference does not reach so far: its curve was drawn on, and {target} is not promised"
)


def describe_automatic(limits: AutomaticLimits, *, target: str) -> str:
    """Say what an automatic threshold rests on.

    Args:
        target: The FPIR aimed at, as text.
    """
    if limits.reference is None and limits.basis is Basis.ENGINE:
        return fill(NO_REFERENCE, (("target", target),))
    params = (("people", str(limits.people)), ("target", target), ("pairs", f"{limits.pairs:,}"))
    text = fill(AUTOMATIC[limits.basis], params)
    return f"{text}; {fill(BEYOND_REFERENCE, params)}" if limits.is_bound else text
