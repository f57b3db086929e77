"""What a sync of the calendar would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .model import ADMIN, CalendarDay, CalendarDiff


def diff_calendar(known: Sequence[CalendarDay], wanted: Sequence[CalendarDay]) -> CalendarDiff:
    """Compare days for everybody with those of a source.

    What a person entered stays as it is. Whether the firm takes a joint leave stays as it was decided.

    Args:
        known: The calendar of the years that ``wanted`` covers; days of a site or a region are not looked at.
        wanted: What the source says.
    """
    general = [day for day in known if day.site_id is None and not day.region]
    by_key = {day.key: day for day in general}
    keys = {day.key for day in wanted}
    added, changed, kept = [], [], []
    for day in wanted:
        found = by_key.get(day.key)
        if found is None:
            added.append(day)
        elif found.source == ADMIN:
            kept.append(found)
        elif (found.name, found.tentative) != (day.name, day.tentative):
            changed.append((found, replace(day, taken=found.taken)))
    removed = [day for day in general if day.source != ADMIN and day.key not in keys]
    return CalendarDiff(tuple(added), tuple(removed), tuple(changed), tuple(kept))
