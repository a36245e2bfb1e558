"""Natural Earth's countries → `geo.json`, the small file that the map is drawn from.

Done once; to do it again: `npm pack world-atlas@2.0.2`, unpack, and
`python -m dashboards.outlines package/countries-50m.json > dashboards/geo.json`.
Outlines are projected (Lambert's azimuthal equal-area, Snyder 1987, eq. 24-2), cut to the window, thinned and written
as paths of SVG, so that the dashboard neither projects nor reads coordinates.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Ring = list[Point]

CENTRE = (70.0, 41.0)  # degrees east and north
WINDOW = (-3450.0, -2050.0, 4050.0, 2500.0)  # kilometres from the centre: west, south, east, north
WIDTH = 800  # units across the window
EARTH = 6371.0
COARSE = 1.6  # square units: a corner that makes a smaller triangle is left out
BEYOND = 20  # units that outlines reach beyond the window, so that no cut edge shows
ATTRIBUTION = "Outlines: Natural Earth (public domain), borders as there; they take no side."

# Capital (degrees east, north), place of the label, other names. Capitals stand for governments, as in "Moscow".
PLACES: dict[str, tuple[Point, Point, tuple[str, ...]]] = {
    "Afghanistan": ((69.2, 34.5), (65.2, 33.6), ("AF", "AFG", "Kabul", "Taliban", "Islamic Emirate", "Islamic Emirate "
                    "of Afghanistan", "Islamic Republic of Afghanistan", "Afghan Republic", "Afghan government")),
    "Armenia": ((44.5, 40.2), (44.9, 40.4), ("AM", "ARM", "Yerevan")),
    "Azerbaijan": ((49.9, 40.4), (47.6, 40.7), ("AZ", "AZE", "Baku")),
    "Bahrain": ((50.6, 26.2), (50.6, 26.6), ("BH", "BHR", "Manama")),
    "Bangladesh": ((90.4, 23.7), (90.0, 24.4), ("BD", "BGD", "Dhaka")),
    "Belarus": ((27.6, 53.9), (28.0, 53.3), ("BY", "BLR", "Minsk")),
    "Bhutan": ((89.6, 27.5), (90.4, 27.6), ("BT", "BTN", "Thimphu")),
    "Bulgaria": ((23.3, 42.7), (25.2, 42.8), ("BG", "BGR", "Sofia")),
    "China": ((116.4, 39.9), (99.0, 36.6), ("CN", "CHN", "Beijing", "People's Republic of China", "PRC")),
    "Cyprus": ((33.4, 35.2), (33.2, 35.0), ("CY", "CYP", "Nicosia")),
    "Egypt": ((31.2, 30.0), (30.0, 27.5), ("EG", "EGY", "Cairo")),
    "Georgia": ((44.8, 41.7), (43.4, 42.2), ("GE", "GEO", "Tbilisi")),
    "India": ((77.2, 28.6), (78.5, 24.2), ("IN", "IND", "Delhi", "New Delhi")),
    "Iran": ((51.4, 35.7), (54.6, 31.8), ("IR", "IRN", "Tehran", "Islamic Republic of Iran")),
    "Iraq": ((44.4, 33.3), (43.2, 32.6), ("IQ", "IRQ", "Baghdad")),
    "Israel": ((35.2, 31.8), (34.9, 31.0), ("IL", "ISR")),
    "Jordan": ((35.9, 31.9), (36.8, 30.9), ("JO", "JOR", "Amman")),
    "Kazakhstan": ((71.4, 51.2), (67.5, 48.3), ("KZ", "KAZ", "Astana", "Nur-Sultan")),
    "Kuwait": ((48.0, 29.4), (47.7, 29.3), ("KW", "KWT")),
    "Kyrgyzstan": ((74.6, 42.9), (75.6, 41.3), ("KG", "KGZ", "Bishkek", "Kyrgyz Republic")),
    "Laos": ((102.6, 18.0), (103.0, 19.5), ("LA", "LAO", "Vientiane")),
    "Lebanon": ((35.5, 33.9), (35.9, 34.0), ("LB", "LBN", "Beirut")),
    "Moldova": ((28.8, 47.0), (28.6, 47.2), ("MD", "MDA", "Chisinau")),
    "Mongolia": ((106.9, 47.9), (102.5, 46.5), ("MN", "MNG", "Ulaanbaatar", "Ulan Bator")),
    "Myanmar": ((96.1, 19.7), (96.3, 21.6), ("MM", "MMR", "Burma", "Naypyidaw")),
    "Nepal": ((85.3, 27.7), (84.0, 28.3), ("NP", "NPL", "Kathmandu")),
    "Oman": ((58.6, 23.6), (56.8, 21.8), ("OM", "OMN", "Muscat")),
    "Pakistan": ((73.1, 33.7), (68.4, 29.0), ("PK", "PAK", "Islamabad", "Rawalpindi")),
    "Qatar": ((51.5, 25.3), (51.2, 25.4), ("QA", "QAT", "Doha")),
    "Romania": ((26.1, 44.4), (25.0, 45.8), ("RO", "ROU", "Bucharest")),
    "Russia": ((37.6, 55.8), (60.0, 57.8), ("RU", "RUS", "Moscow", "Kremlin", "Russian Federation")),
    "Saudi Arabia": ((46.7, 24.7), (45.0, 25.6), ("SA", "SAU", "Riyadh")),
    "Syria": ((36.3, 33.5), (38.4, 35.0), ("SY", "SYR", "Damascus")),
    "Tajikistan": ((68.8, 38.6), (71.6, 38.3), ("TJ", "TJK", "Dushanbe")),
    "Thailand": ((100.5, 13.8), (101.0, 16.0), ("TH", "THA", "Bangkok")),
    "Turkey": ((32.9, 39.9), (35.4, 38.7), ("TR", "TUR", "Ankara", "Türkiye", "Turkiye")),
    "Turkmenistan": ((58.4, 37.9), (58.7, 39.6), ("TM", "TKM", "Ashgabat")),
    "Ukraine": ((30.5, 50.5), (32.2, 49.0), ("UA", "UKR", "Kyiv", "Kiev")),
    "United Arab Emirates": ((54.4, 24.5), (54.2, 23.6), ("AE", "ARE", "UAE", "Abu Dhabi")),
    "Uzbekistan": ((69.2, 41.3), (63.4, 42.2), ("UZ", "UZB", "Tashkent")),
    "Vietnam": ((105.8, 21.0), (105.0, 21.9), ("VN", "VNM", "Hanoi")),
    "Yemen": ((44.2, 15.4), (47.5, 15.8), ("YE", "YEM", "Sanaa")),
}  # fmt: skip


def projected(east: float, north: float) -> Point | None:
    """Units right and down from the window's top left corner; None for what lies too far round the globe."""
    turn = math.radians(east - CENTRE[0])
    phi, middle = math.radians(north), math.radians(CENTRE[1])
    near = math.sin(middle) * math.sin(phi) + math.cos(middle) * math.cos(phi) * math.cos(turn)
    if near < -0.5:
        return None
    k = EARTH * math.sqrt(2 / (1 + near))
    x = k * math.cos(phi) * math.sin(turn)
    y = k * (math.cos(middle) * math.sin(phi) - math.sin(middle) * math.cos(phi) * math.cos(turn))
    scale = WIDTH / (WINDOW[2] - WINDOW[0])
    return (x - WINDOW[0]) * scale, (WINDOW[3] - y) * scale


def height() -> int:
    """Units down the window."""
    return round(WIDTH * (WINDOW[3] - WINDOW[1]) / (WINDOW[2] - WINDOW[0]))


def countries(atlas: dict) -> Iterator[tuple[str, list[Ring]]]:
    """(name, rings) of each country of a TopoJSON file, in degrees."""
    scale, shift = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs: list[Ring] = []
    for arc in atlas["arcs"]:
        x = y = 0
        line = []
        for right, up in arc:
            x, y = x + right, y + up
            line.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(line)

    def ring(numbers: Iterable[int]) -> Ring:
        line: Ring = []
        for number in numbers:
            part = arcs[number] if number >= 0 else arcs[~number][::-1]
            line += part[1:] if line else part
        return line

    for shape in atlas["objects"]["countries"]["geometries"]:
        polygons = {"Polygon": [shape.get("arcs")], "MultiPolygon": shape.get("arcs")}.get(shape["type"], [])
        yield shape["properties"]["name"], [ring(numbers) for polygon in polygons for numbers in polygon]


def cut(line: Ring, bounds: tuple[float, float, float, float]) -> Ring:
    """A ring within left, top, right, bottom. Source: Sutherland & Hodgman 1974."""
    for side, (along, sign) in enumerate(((0, 1), (1, 1), (0, -1), (1, -1))):
        limit = bounds[side]
        kept: Ring = []
        for before, here in zip([*line[-1:], *line[:-1]], line, strict=True):
            inside, was = (sign * (point[along] - limit) >= 0 for point in (here, before))
            if inside != was:
                part = (limit - before[along]) / (here[along] - before[along])
                x, y = (before[n] + part * (here[n] - before[n]) for n in (0, 1))
                kept.append((x, y))
            if inside:
                kept.append(here)
        line = kept
    return line


def thinned(line: Ring) -> Ring:
    """Without the corners that show least. Source: Visvalingam & Whyatt 1993."""
    line = list(line)
    while len(line) > 4:
        sizes = [
            abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2
            for a, b, c in zip([*line[-1:], *line[:-1]], line, [*line[1:], *line[:1]], strict=True)
        ]
        least = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[least] > COARSE:
            break
        del line[least]
    return line


def drawn(rings: Iterable[Ring]) -> str:
    """The rings as a path of SVG; empty for what the window does not hold."""
    bounds = (-BEYOND, -BEYOND, WIDTH + BEYOND, height() + BEYOND)
    parts = []
    for degrees in rings:
        line = [point for east, north in degrees if (point := projected(east, north)) is not None]
        line = thinned(cut(line, bounds)) if len(line) > 3 else []
        size = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(line, line[1:] + line[:1], strict=True))) / 2
        if size > 3:
            parts.append("M" + "L".join(f"{x:.1f},{y:.1f}".replace(".0", "") for x, y in line) + "Z")
    return "".join(parts)


def main() -> None:
    atlas = json.loads(Path(sys.argv[1]).read_text())
    found = []
    for name, rings in countries(atlas):
        path = drawn(rings)
        if not path:
            continue
        country: dict[str, Any] = {"name": name, "path": path}
        if name in PLACES:
            capital, label, names = PLACES[name]
            at = projected(*capital)
            if at is not None and 0 < at[0] < WIDTH and 0 < at[1] < height():
                country |= {"at": [round(part, 1) for part in at], "names": list(names),
                            "label": [round(part, 1) for part in projected(*label) or at]}  # fmt: skip
        found.append(country)
    told = {
        "attribution": ATTRIBUTION,
        "made": "python -m dashboards.outlines, from world-atlas 2.0.2 countries-50m",
        "width": WIDTH,
        "height": height(),
        "countries": sorted(found, key=lambda country: country["name"]),
    }
    print(json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace('},{"name"', '},\n{"name"'))


if __name__ == "__main__":
    main()
