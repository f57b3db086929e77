"""Tracking: which box of this frame is which box of the last one."""

from __future__ import annotations

import pytest

from smartabsen.kernel.domain import BoxXYXY
from smartabsen.recognition.tracking import Tracker, iou


def box(x: float, y: float = 100.0, size: float = 100.0) -> BoxXYXY:
    return (x, y, x + size, y + size)


def test_a_face_that_stays_keeps_its_number() -> None:
    """Small movements and changes of size continue a track."""
    tracker = Tracker()
    for number, place in enumerate([box(100), box(110), box(125, 90), box(130, 95, 120)]):
        assert tracker.update([place], number / 15) == [1]


def test_two_faces_keep_their_numbers_in_whatever_order_they_are_found() -> None:
    """The order of the detector means nothing."""
    tracker = Tracker()
    assert tracker.update([box(100), box(400)], 0.0) == [1, 2]
    assert tracker.update([box(410), box(105)], 0.1) == [2, 1]


def test_each_track_is_given_once() -> None:
    """A second box on the same face becomes a track of its own; the better overlap keeps the number."""
    tracker = Tracker()
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(130), box(102)], 0.1) == [2, 1]


def test_a_fast_face_keeps_its_number_without_overlap() -> None:
    """At few frames a second, a walking face jumps by its own size."""
    tracker = Tracker()
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(195)], 0.2) == [1]


def test_a_far_or_differently_sized_face_is_another() -> None:
    """Nearness continues a track only for a face of about the same size."""
    tracker = Tracker()
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(320)], 0.1) == [2]
    tracker.update([box(600)], 0.2)
    assert tracker.update([box(680, 160, 30)], 0.3) == [4]


def test_overlap_goes_before_nearness() -> None:
    """Somebody who steps beside a face does not take its number."""
    tracker = Tracker()
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(10, size=95), box(150)], 0.1) == [2, 1]


def test_a_hidden_face_is_remembered_for_a_moment() -> None:
    """A hand before the face or a missed detection does not end a track; a longer absence does."""
    tracker = Tracker(max_gap_s=0.7)
    tracker.update([box(100)], 0.0)
    assert tracker.update([], 0.3) == []
    assert tracker.alive == {1}
    assert tracker.update([box(100)], 0.6) == [1]
    tracker.update([], 0.9)
    assert tracker.update([], 1.4) == []
    assert tracker.alive == set()
    assert tracker.update([box(100)], 1.5) == [2]


def test_slow_frames_end_no_track() -> None:
    """On a machine that does one frame a second, the face of the last frame goes on."""
    tracker = Tracker(max_gap_s=0.7)
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(110)], 1.0) == [1]


def test_a_camera_that_was_away_begins_anew() -> None:
    """After a pause without any frame, nobody is taken for who stood there before."""
    tracker = Tracker(max_pause_s=3.0)
    tracker.update([box(100)], 0.0)
    assert tracker.update([box(100)], 3.5) == [2]
    assert tracker.alive == {2}


def test_an_empty_box_breaks_nothing() -> None:
    """A box without area is a track like others."""
    tracker = Tracker()
    assert tracker.update([(5.0, 5.0, 5.0, 5.0)], 0.0) == [1]
    assert tracker.update([box(0), (5.0, 5.0, 5.0, 5.0)], 0.1) == [2, 3]


@pytest.mark.parametrize(
    ("other", "share"),
    [(box(0, 0), 1.0), (box(50, 0), 1 / 3), (box(100, 0), 0.0), (box(300, 0), 0.0), ((0.0, 0.0, 50.0, 50.0), 0.25)],
)
def test_overlap_is_the_intersection_over_the_union(other: BoxXYXY, share: float) -> None:
    """Boxes that only touch have none."""
    assert iou(box(0, 0), other) == pytest.approx(share)
    assert iou(other, box(0, 0)) == pytest.approx(share)
