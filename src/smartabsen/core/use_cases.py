"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from functools import cached_property

from .bootstrap import Services
from .checkin import CheckIn
from .corrections import Corrections
from .desk import DayQuery, Desk
from .desk_export import ExportFile, ExportFormat, export_days
from .enrolments import Enrolments
from .leave import Leave
from .limits import RateLimits
from .phones import Phones
from .secrets import ServerSecret
from .signin import SignIn
from .system import System
from .training_job import TrainingJobs
from .users import Users
from .web_sessions import WebSessions


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
    def enrolments(self) -> Enrolments:
        """Adding people and their pictures from the dashboard."""
        return Enrolments(self.services)

    @cached_property
    def system(self) -> System:
        """What is installed and in use."""
        return System(self.services)

    def export_days(self, query: DayQuery, *, format: ExportFormat) -> ExportFile:
        """Return the days of a query as a file; see :func:`smartabsen.core.desk_export.export_days`."""
        return export_days(self.services, query, format=format)

    @cached_property
    def trainings(self) -> TrainingJobs:
        """Trainings in the background."""
        return TrainingJobs(self.services)

    @cached_property
    def signin(self) -> SignIn:
        """Requests to sign in with a phone."""
        return SignIn(self.services)

    @cached_property
    def phones(self) -> Phones:
        """Paired phones and PINs of employees."""
        return Phones(self.services)

    @cached_property
    def checkin(self) -> CheckIn:
        """Attendance by a burst of frames from a browser."""
        return CheckIn(self.services)

    @cached_property
    def web_sessions(self) -> WebSessions:
        """Sessions of browsers."""
        return WebSessions(self.services)

    @cached_property
    def limits(self) -> RateLimits:
        """How often something may be tried."""
        return RateLimits(self.services)

    @property
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home. Raises StorageError."""
        return self.services.secret
