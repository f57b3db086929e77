"""smartabsen: attendance by face recognition with phone verification by QR."""

from ._version import __version__

__all__ = ["__version__"]
