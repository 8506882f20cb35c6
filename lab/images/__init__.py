"""Container images without a registry or an engine: Debian packages and our own files, written as docker archives."""

from lab.images.ensure import build_archives
from lab.images.record import Archive

__all__ = ["Archive", "build_archives"]
