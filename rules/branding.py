"""How a product looks on pages and emails: its accent colour, made readable in both schemes."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass

LIGHT_PAGE = (255, 255, 255)
DARK_PAGE = (24, 28, 38)
READABLE = 4.8  # WCAG 2.2 asks for 4.5 to 1

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Accent:
    """An accent colour on a light and on a dark ground, and the colour of text on each, all `#rrggbb`."""

    light: str
    on_light: str
    dark: str
    on_dark: str

    @classmethod
    def of(cls, colour: str) -> Accent:
        """The accent of a colour."""
        light, dark = readable_on(LIGHT_PAGE, colour), readable_on(DARK_PAGE, colour)
        return cls(light, _text_on(light), dark, _text_on(dark))


def readable_on(page: Rgb, accent: str) -> str:
    """The accent, darkened or lightened until text in it can be read on the page."""
    red, green, blue = _parse(accent)
    hue, lightness, saturation = rgb_to_hls(red / 255, green / 255, blue / 255)
    step = 0.01 if _luminance(page) < 0.5 else -0.01
    colour = (red, green, blue)
    while contrast(colour, page) < READABLE:
        lightness += step
        colour = _scaled(hls_to_rgb(hue, lightness, saturation))
    return _written(colour)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast of two colours, 1 to 21, as WCAG has it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _text_on(colour: str) -> str:
    return max(("#ffffff", "#0c111d"), key=lambda text: contrast(_parse(text), _parse(colour)))


def _luminance(colour: Rgb) -> float:
    parts = [value / 255 for value in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _scaled(parts: tuple[float, float, float]) -> Rgb:
    red, green, blue = (max(0, min(255, round(part * 255))) for part in parts)
    return red, green, blue


def _parse(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _written(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
