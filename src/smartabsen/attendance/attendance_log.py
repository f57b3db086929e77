"""The attendance log as a whole: compared with the database, or made equal to it."""

from __future__ import annotations

from ..app.bootstrap import Services
from .csv_log import FileDifference as FileDifference
from .csv_sync import LogRepair as LogRepair, compare


class AttendanceLog:
    """Care for the CSV files.

    Args:
        services: The parts of the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def verify(self) -> tuple[int, tuple[FileDifference, ...]]:
        """Compare every file with the database; nothing is changed.

        Returns:
            How many work dates were compared, and those that differ.

        Raises:
            DatabaseError: The database does not answer.
            StorageError: A file cannot be read.
        """
        return compare(self._services.database, self._services.csv_log)

    def rebuild(self) -> LogRepair:
        """Make every file equal to the database; what held something that it does not know is kept beside it.

        Raises:
            DatabaseError, StorageError: As :meth:`verify`.
        """
        repair = self._services.reconcile_log(thorough=True)
        self._services.remarks.clear()
        return repair
