"""A change of the key that is killed leaves everything readable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from . import rotation_kills


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_rotation_of_the_key_that_is_killed_leaves_everything_readable(tmp_path: Path) -> None:
    """`kill -9` in the middle of sealing anew: each row opens with the old key or the new one."""
    report = rotation_kills.measure_kills(tmp_path, kills=4)
    assert report.in_the_middle > 0, "no rotation was killed in the middle: the test showed nothing"
    assert report.broken == 0, report
