"""Geometry of the charts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from smartabsen.attendance.desk import LateWeek
from smartabsen.web.admin.charts import week_chart

DIGIT_PX = 7.5
"""Width of a digit in 12 px, rounded up."""


@pytest.mark.parametrize("minutes", [0, 7, 60, 999, 4_500, 98_765, 1_234_567])
def test_the_numbers_of_the_axis_lie_in_the_picture(minutes: int) -> None:
    """They end at the axis and begin right of the left edge, however long they are."""
    weeks = [LateWeek(date(2026, 11, 2) + timedelta(weeks=number), minutes, 1, 1) for number in range(12)]
    chart = week_chart(weeks)
    for tick in chart.ticks:
        assert tick.x - DIGIT_PX * len(tick.text) >= 0, tick
        assert tick.x < chart.left
    assert all(chart.left <= block.x and block.x + block.width <= chart.width for block in chart.blocks)
