"""Every error that smartabsen raises on purpose, in one tree.

::

    SmartAbsenError                     exit  http
    ├── InvalidInputError                  2   400   what was given cannot be used (a file, a name, a date)
    ├── ConfigError                        3   500   a setting is unknown, out of range or missing
    │   ├── UnknownBackendError            3   500   no backend has that name
    │   └── MissingDependencyError         3   503   a library for the chosen backend is not installed
    ├── NotFoundError                      1   404   no such employee, template, model, file
    ├── ConflictError                      1   409   it exists already, or it contradicts what exists
    │   └── KeyReusedError                 1   409   the idempotency key of an attempt came again, with something else
    ├── DeniedError                        1   403   who asks may not: a wrong PIN, a declined sign-in
    │   └── TooManyTriesError              1   429   tried too often; the hint says how long to wait
    ├── BusyError                          1   503   the server has more to do than it can; a few seconds later it works
    ├── IntegrityError                     1   409   what is stored is not what was written: a broken audit trail
    ├── CameraError                        4   503   a camera cannot be opened or read
    │   └── CameraBusyError                4   503   another process holds the camera
    ├── DatabaseError                      5   503   the database does not answer or refuses
    │   ├── DatabaseAwayError              5   503   the database does not answer now; waiting may mend it
    │   └── SchemaError                    5   503   the schema is newer than the program, or damaged
    ├── StorageError                       1   503   a file cannot be written: full disk, no permission
    ├── ModelError                         6   503   a model or the trained gallery cannot be used
    │   ├── ModelMissingError              6   503   files of a model are not installed
    │   ├── ModelDamagedError              6   503   a file differs from its digest or cannot be read
    │   │   └── SealBrokenError            6   503   what is sealed was changed, moved, or was never sealed
    │   ├── KeyMissingError                6   503   the key of the biometric data is missing, or is another one
    │   │   └── KeyUnreadableError         6   503   the key file is there, and this user may not read it
    │   ├── LicenceError                   6   403   the licence of a model was not accepted
    │   ├── EngineMismatchError            6   409   templates and engine do not belong together
    │   └── NotTrainedError                6   409   there is no trained model yet
    ├── ConsentMissingError                1   403   a face may not be enrolled without recorded consent
    ├── GateError                          1   409   the trained model is below the accuracy demanded
    └── PartlyDoneError                    7   207   some of it was done, some was refused

An error becomes text in two places only: the boundary of the command line and the handlers of the web
server. They translate ``message_id`` and ``hint_id``, then fill in ``params``; ``str(error)`` is English.
"""

from __future__ import annotations

from typing import ClassVar


class SmartAbsenError(Exception):
    """The base of all errors that smartabsen raises on purpose.

    Args:
        message: One English sentence, a message id of the catalogue; ``{name}`` places are filled from ``params``.
        hint: What to do next, in one English sentence; also a message id.
        params: Values for the places in both.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "", **params: object) -> None:
        self.message_id = message
        self.hint_id = hint
        self.params = params
        super().__init__(_fill(message, params))

    @property
    def hint(self) -> str:
        """What to do next, in English."""
        return _fill(self.hint_id, self.params)

    @property
    def text_params(self) -> tuple[tuple[str, str], ...]:
        """The values of the places as texts, for frozen data that carries an error's message."""
        return tuple((name, each if isinstance(each, str) else str(each)) for name, each in self.params.items())

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message_id, self.hint_id, self.params))


class InvalidInputError(SmartAbsenError):
    """What was given cannot be used."""

    code = "invalid_input"
    exit_code = 2
    http_status = 400


class ConfigError(SmartAbsenError):
    """A setting is unknown, out of range or missing."""

    code = "config"
    exit_code = 3


class UnknownBackendError(ConfigError):
    """No backend has that name; the message lists those there are."""

    code = "unknown_backend"


class MissingDependencyError(ConfigError):
    """A library that the chosen backend needs is not installed; the hint says what to install."""

    code = "missing_dependency"
    http_status = 503


class NotFoundError(SmartAbsenError):
    """What was asked for does not exist."""

    code = "not_found"
    http_status = 404


class ConflictError(SmartAbsenError):
    """It exists already, or it contradicts what exists."""

    code = "conflict"
    http_status = 409


class KeyReusedError(ConflictError):
    """The idempotency key of an attempt came again, with something else than the first time."""

    code = "key_reused"


class DeniedError(SmartAbsenError):
    """Who asks may not: a wrong PIN, a declined sign-in."""

    code = "denied"
    http_status = 403


class TooManyTriesError(DeniedError):
    """It was tried too often; ``params["seconds"]`` says how long to wait."""

    code = "too_many_tries"
    http_status = 429


class BusyError(SmartAbsenError):
    """The server has more to do than it can; ``params["seconds"]`` says when to try again."""

    code = "busy"
    http_status = 503


class IntegrityError(SmartAbsenError):
    """What is stored is not what was written: a broken audit trail, a damaged backup."""

    code = "integrity"
    http_status = 409


class CameraError(SmartAbsenError):
    """A camera cannot be opened or read."""

    code = "camera"
    exit_code = 4
    http_status = 503


class CameraBusyError(CameraError):
    """Another process holds the camera."""

    code = "camera_busy"


class DatabaseError(SmartAbsenError):
    """The database does not answer, or refuses."""

    code = "database"
    exit_code = 5
    http_status = 503


class DatabaseAwayError(DatabaseError):
    """The database does not answer now: it is down, restarts, or takes nobody else. Waiting may mend it."""

    code = "database_away"


class SchemaError(DatabaseError):
    """The schema of the database is newer than this program, or damaged."""

    code = "schema"


class StorageError(SmartAbsenError):
    """A file cannot be written: the disk is full, or permission is missing."""

    code = "storage"
    http_status = 503


class ModelError(SmartAbsenError):
    """A model or the trained gallery cannot be used."""

    code = "model"
    exit_code = 6
    http_status = 503


class ModelMissingError(ModelError):
    """Files of a model are not installed; the hint says how to get them."""

    code = "model_missing"


class ModelDamagedError(ModelError):
    """A file differs from its digest, or cannot be read as what it should be."""

    code = "model_damaged"


class SealBrokenError(ModelDamagedError):
    """Sealed biometric data was changed, moved from another person, or was never sealed."""

    code = "seal_broken"


class KeyMissingError(ModelError):
    """The key that biometric data is sealed with is missing, or is another one; attendance does not need it."""

    code = "key_missing"


class KeyUnreadableError(KeyMissingError):
    """The key file is there and cannot be read: nothing is lost, and nothing may be discarded."""

    code = "key_unreadable"


class LicenceError(ModelError):
    """The licence of a model was not accepted."""

    code = "licence"
    http_status = 403


class EngineMismatchError(ModelError):
    """Templates and engine do not belong together; the hint names the command that mends it."""

    code = "engine_mismatch"
    http_status = 409


class NotTrainedError(ModelError):
    """There is no trained model yet."""

    code = "not_trained"
    http_status = 409


class ConsentMissingError(SmartAbsenError):
    """A face may not be enrolled here without recorded consent."""

    code = "consent_missing"
    http_status = 403


class GateError(SmartAbsenError):
    """The trained model is below the accuracy that was demanded, and was not activated."""

    code = "accuracy_gate"
    http_status = 409


class PartlyDoneError(SmartAbsenError):
    """Some of the work was done and some was refused; the data says which."""

    code = "partly_done"
    exit_code = 7
    http_status = 207


def _fill(template: str, params: dict[str, object]) -> str:
    return template.format(**params) if params else template


def _rebuild(cls: type[SmartAbsenError], message: str, hint: str, params: dict[str, object]) -> SmartAbsenError:
    # Errors cross process borders in bulk work; keyword arguments do not survive the default pickling.
    return cls(message, hint=hint, **params)
