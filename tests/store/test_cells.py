"""What a cell of a workbook shows, or why that cannot be told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from smartabsen.store.cells import CellKind, read_cell


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (7, "General", "7"),
        (7.0, "0", "7"),
        (7, "@", "7"),
        (7, "0000", "0007"),
        (7, '"E"000', "E007"),
        (7, r"\K000", "K007"),
        (7, '"K-"000', "K-007"),
        (1234, "00-00", "12-34"),
        (12345, "00-00", "123-45"),
        (7, '0" org"', "7 org"),
        (7, '"E"General', "E7"),
        (7, "[$-421]000", "007"),
        (7, "[Red]000;[Blue]-000", "007"),
        (0, '0;-0;"nol"0', "nol0"),
        (7, "_-* #,##0_-;-* #,##0_-", "7"),
        (123456789012345, "0", "123456789012345"),
        ("007", "General", "007"),
        ("007", '"K"@', "K007"),
        ("007", '0;0;0;"K"@', "K007"),
    ],
)
def test_literal_signs_and_zeros_are_shown_as_excel_shows_them(value: Any, number_format: str, shown: str) -> None:
    """A code is what people read in the cell."""
    cell = read_cell(value, number_format)
    assert (cell.text, cell.fault) == (shown, None)


@pytest.mark.parametrize(
    ("value", "number_format", "reason"),
    [
        (3201010101900000, "0", "long_number"),
        (3201010101900000.0, "General", "long_number"),
        (-(10**15), "0", "long_number"),
        (1.1, "General", "cell_fraction"),
        (0.07, "0%", "cell_fraction"),
        (7, "0%", "shown_otherwise"),
        (7, "0.00", "shown_otherwise"),
        (1234, "#,##0", "shown_otherwise"),
        (7, "0,", "shown_otherwise"),
        (7, "0E+00", "shown_otherwise"),
        (7, "# ?/?", "shown_otherwise"),
        (7, "[>5]000", "shown_otherwise"),
        (7, "K000", "shown_otherwise"),
        (7, '"Rp"', "shown_otherwise"),
        (7, ";;;", "shown_otherwise"),
        ("007", ";;;", "shown_otherwise"),
        (True, "General", "cell_boolean"),
        (date(2026, 2, 1), "d/m/yyyy", "cell_date"),
        (datetime(2026, 2, 1, 7, 30), "d/m/yyyy", "cell_date"),  # noqa: DTZ001 - Excel knows no zones
        (timedelta(hours=8), "[h]:mm", "cell_date"),
    ],
)
def test_what_is_not_certain_is_a_fault_and_no_code(value: Any, number_format: str, reason: str) -> None:
    """Nobody gets a code that was neither typed nor shown."""
    fault = read_cell(value, number_format).fault
    assert fault is not None
    assert fault.reason == reason


def test_errors_and_formulas_without_a_result_are_faults() -> None:
    """Such a cell is not the same as an empty one."""
    error = read_cell("#N/A", "General", is_error=True)
    uncomputed = read_cell(None, "General", uncomputed=True)
    assert error.fault is not None and error.fault.reason == "cell_error"
    assert uncomputed.fault is not None and uncomputed.fault.reason == "cell_uncomputed"
    assert read_cell(None, "General").fault is None


def test_a_date_and_a_boolean_keep_their_kind() -> None:
    """A column of dates takes what is a fault in a column of codes."""
    assert read_cell(datetime.fromisoformat("2025-12-01"), "d mmm yyyy").kind is CellKind.DATE
    assert read_cell(False, "General").text == "FALSE"
