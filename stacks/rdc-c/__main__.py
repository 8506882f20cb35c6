"""One site of the pair that this project is named after; the stack's name says which."""

from components.site import build_regional_site

build_regional_site()
