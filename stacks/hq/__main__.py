"""The headquarters site."""

from components.site import build_headquarters

build_headquarters()
