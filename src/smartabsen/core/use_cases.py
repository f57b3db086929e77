"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from functools import cached_property

from .bootstrap import Services
from .corrections import Corrections
from .desk import Desk
from .leave import Leave
from .training_job import TrainingJobs
from .users import Users


class UseCases:
    """The subjects of one installation; :class:`smartabsen.SmartAbsen` has them as attributes.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    @cached_property
    def users(self) -> Users:
        """Who may sign in to the dashboard."""
        return Users(self.services)

    @cached_property
    def desk(self) -> Desk:
        """What the dashboard shows."""
        return Desk(self.services)

    @cached_property
    def corrections(self) -> Corrections:
        """Correcting times, with reasons."""
        return Corrections(self.services)

    @cached_property
    def leave(self) -> Leave:
        """Leave: Izin and Sakit."""
        return Leave(self.services)

    @cached_property
    def trainings(self) -> TrainingJobs:
        """Trainings in the background."""
        return TrainingJobs(self.services)
