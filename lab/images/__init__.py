"""Container images without a registry or an engine: Debian packages and our own files, written as docker archives."""

from lab.images.build import Archive, build_archives, build_images

__all__ = ["Archive", "build_archives", "build_images"]
