"""The version, in one place: read by the build, by ``--version`` and by ``smartabsen.__version__``."""

__version__ = "0.1.0"
