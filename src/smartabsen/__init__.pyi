# The public API, each name once: `__init__.py` imports it on first use, type checkers read it here.

from ._version import __version__ as __version__
from .camera.lock import (
    CameraLock as CameraLock,
)
from .config import (
    LoadedSettings as LoadedSettings,
    Settings as Settings,
    load_settings as load_settings,
)
from .core.app import (
    SmartAbsen as SmartAbsen,
)
from .domain import (
    AttendanceDay as AttendanceDay,
    Check as Check,
    CheckLevel as CheckLevel,
    Employee as Employee,
    EnrolReport as EnrolReport,
    Identification as Identification,
    ImageResult as ImageResult,
    ImportReport as ImportReport,
    ImportRow as ImportRow,
    ImportVerdict as ImportVerdict,
    KioskEvent as KioskEvent,
    KioskEventKind as KioskEventKind,
    KioskSummary as KioskSummary,
    ModelStatus as ModelStatus,
    Outcome as Outcome,
    PairedPhone as PairedPhone,
    Pairing as Pairing,
    PhoneCredential as PhoneCredential,
    PhotoVerdict as PhotoVerdict,
    Punch as Punch,
    PunchMethod as PunchMethod,
    PunchResult as PunchResult,
    Quality as Quality,
    Report as Report,
    ReportDay as ReportDay,
    ReportTotal as ReportTotal,
    Role as Role,
    SignInAsk as SignInAsk,
    SignInGrant as SignInGrant,
    SignInRequest as SignInRequest,
    SignInState as SignInState,
    Status as Status,
    TrainReport as TrainReport,
    User as User,
    VerifyOutcome as VerifyOutcome,
)
from .errors import (
    CameraBusyError as CameraBusyError,
    CameraError as CameraError,
    ConfigError as ConfigError,
    ConflictError as ConflictError,
    DatabaseError as DatabaseError,
    DeniedError as DeniedError,
    EngineMismatchError as EngineMismatchError,
    GateError as GateError,
    IntegrityError as IntegrityError,
    InvalidInputError as InvalidInputError,
    LicenceError as LicenceError,
    MissingDependencyError as MissingDependencyError,
    ModelDamagedError as ModelDamagedError,
    ModelError as ModelError,
    ModelMissingError as ModelMissingError,
    NotFoundError as NotFoundError,
    NotTrainedError as NotTrainedError,
    PartlyDoneError as PartlyDoneError,
    SchemaError as SchemaError,
    SmartAbsenError as SmartAbsenError,
    StorageError as StorageError,
    TooManyTriesError as TooManyTriesError,
    UnknownBackendError as UnknownBackendError,
)
from .qr.sync import (
    QRSyncManager as QRSyncManager,
)
