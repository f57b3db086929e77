"""Types of arrays, and the words of the domain: outcomes, statuses, methods, roles."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ImageBGR: TypeAlias = NDArray[np.uint8]
    """An image, uint8 (H, W, 3), channels blue-green-red."""

    FloatArray: TypeAlias = NDArray[np.float32]
    """A float32 array; the docstring beside it gives the shape."""
else:
    # Annotations are never evaluated; this keeps NumPy out of `smartabsen --help`.
    ImageBGR = FloatArray = object

BoxXYXY: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the image that was given; right and bottom are exclusive."""


class Outcome(StrEnum):
    """What became of a face, a photo or an attempt. The values are stable codes for scripts."""

    ACCEPTED = "accepted"
    RECOGNIZED = "recognized"
    ALREADY_RECORDED = "already_recorded"
    PENDING = "pending"
    """Recognised and kept on the kiosk: the database does not answer."""
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    NOT_UPRIGHT = "not_upright"
    """The picture may stand on its head or lie on its side."""
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_LIVE = "not_live"
    NOT_A_CAMERA = "not_a_camera"
    MOVEMENT_NEEDED = "movement_needed"
    """The model of liveness is not sure: no refusal yet, the person is asked for one movement."""
    CHALLENGE_FAILED = "challenge_failed"
    LIVENESS_UNAVAILABLE = "liveness_unavailable"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    AT_THE_EDGE = "at_the_edge"
    OTHER_FACE = "other_face"
    """Not the face of the employee whose paired phone confirmed."""
    NOT_ENROLLED = "not_enrolled"
    """That employee has no template."""
    DUPLICATE_FACE = "duplicate_face"
    DUPLICATE_PHOTO = "duplicate_photo"
    TOO_MANY_PHOTOS = "too_many_photos"


class Status(StrEnum):
    """The status of an attendance day; the values are the words the database and exports use."""

    PRESENT = "Hadir"
    LATE = "Terlambat"
    EXCUSED = "Izin"
    SICK = "Sakit"


class PunchMethod(StrEnum):
    """How a punch came about."""

    FACE = "face"
    MANUAL = "manual"
    PIN = "pin"
    """A paired phone and its owner's PIN."""
    CORRECTION = "correction"
    """A time entered afterwards, with a reason: in place of another punch, or as one that was forgotten."""
    VOID = "void"
    """No time: it takes the punch that it supersedes out of the day, with a reason."""


class Role(StrEnum):
    """What a user of the dashboard may do."""

    ADMIN = "admin"
    VIEWER = "viewer"
    """Reads everything but the audit trail and the users, and changes nothing."""


class LicenceClass(StrEnum):
    """What the licence of a model's weights allows."""

    FREE = "free"
    """Free for business use."""
    NON_COMMERCIAL = "non_commercial"
    UNKNOWN = "unknown"


class LandmarkScheme(StrEnum):
    """Which five points a detector gives, and in which order. Left and right are those of the image."""

    ARCFACE5 = "arcface5"
    """Left eye, right eye, nose tip, left and right corner of the mouth (the left ones at smaller x)."""
    DLIB5 = "dlib5"
    """dlib's 5-point predictor as it numbers them: outer and inner corner of the right eye (at larger x), outer and
    inner corner of the left eye, base of the nose. So ``points[2:4]`` are the left eye, ``points[0:2]`` the right."""
