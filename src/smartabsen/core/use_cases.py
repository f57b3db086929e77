"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from .attendance_log import AttendanceLog
from .audit import AuditTrail
from .backups import Backups
from .bootstrap import Services
from .checkin import CheckIn
from .databases import Databases
from .limits import RateLimits
from .once import made_once
from .phones import Phones
from .secrets import ServerSecret
from .serving import Serving
from .signin import SignIn
from .tls import Tls
from .web_sessions import WebSessions


class UseCases:
    """The subjects of one installation; :class:`smartabsen.SmartAbsen` has them as attributes.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    @made_once
    def audit(self) -> AuditTrail:
        """Who did what to whom."""
        return AuditTrail(self.services)

    @made_once
    def attendance_log(self) -> AttendanceLog:
        """The CSV files."""
        return AttendanceLog(self.services)

    @made_once
    def backups(self) -> Backups:
        """Backups of this installation."""
        return Backups(self.services, self.audit)

    @made_once
    def databases(self) -> Databases:
        """The database as a whole."""
        return Databases(self.services, self.audit)

    @made_once
    def signin(self) -> SignIn:
        """Requests to sign in with a phone."""
        return SignIn(self.services)

    @made_once
    def phones(self) -> Phones:
        """Paired phones and PINs of employees."""
        return Phones(self.services)

    @made_once
    def checkin(self) -> CheckIn:
        """Attendance by a burst of frames from a browser."""
        return CheckIn(self.services, self.limits)

    @made_once
    def serving(self) -> Serving:
        """The web server: what it needs, and its address."""
        return Serving(self.services)

    @made_once
    def tls(self) -> Tls:
        """Certificates for https."""
        return Tls(self.services)

    @made_once
    def web_sessions(self) -> WebSessions:
        """Sessions of browsers."""
        return WebSessions(self.services)

    @made_once
    def limits(self) -> RateLimits:
        """How often something may be tried."""
        return RateLimits(self.services)

    @property
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home. Raises StorageError."""
        return self.services.secret
