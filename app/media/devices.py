"""Devices, drawn from the colour of their finish. Small differences tell the makers' models apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.media.devices_audio import earbuds, headphones, speaker, turntable
from app.media.devices_light import camera, lamp
from app.media.devices_screen import laptop, phone, tablet, watch
from app.media.finish import Finish
from app.media.scene import scene

_SHAPES: Mapping[str, Callable[[Finish], str]] = {
    "headphones": headphones,
    "earbuds": earbuds,
    "watch": watch,
    "speaker": speaker,
    "phone": phone,
    "tablet": tablet,
    "laptop": laptop,
    "camera": camera,
    "turntable": turntable,
    "lamp": lamp,
}


@dataclass(frozen=True, slots=True)
class Device:
    """Which device, in which finish."""

    shape: str
    colour: str
    variety: int


def draw_device(device: Device, *, title: str) -> str:
    """Return the picture of a device in one finish."""
    finish = Finish(device.colour, device.variety)
    return scene(
        _SHAPES[device.shape](finish),
        finish.definitions(),
        title=title,
        colour=device.colour,
        variety=device.variety,
        moody=True,
    )
