"""Draws docs/pictures/lineage.svg from dbt's manifest: `python docs/pictures/lineage.py` after `dbt parse`.

Folders are drawn as one box (a source, a concept), published tables each as their own; an arrow says that something in
the one reads something in the other.
"""

import json
from collections import defaultdict
from html import escape
from pathlib import Path

LANES = [
    "raw: as it came (dlt)",
    "staging: typed, judged",
    "intermediate: joined",
    "as it was known",
    "marts: published",
]
COLOURS = ["#e8a33d", "#5b9bd5", "#5aa469", "#3d8b8b", "#8e6bbf"]
SECOND_HALF = {"tiles", "time"}  # intermediate folders that read the other ones
BOX_WIDTH, BOX_HEIGHT, ROW, LANE = 172, 26, 36, 250
MARGIN, TOP = 24, 64


def box_of(node: dict) -> tuple[int, str] | None:
    """Return the lane and the name of the box that a node of the manifest belongs to; None for what is not drawn."""
    path = Path(node["original_file_path"]).parts
    if node["resource_type"] == "source":
        return (0, node["source_name"].removeprefix("raw_"))
    if node["resource_type"] != "model":
        return None
    if path[1] == "staging":
        return (1, path[2])
    if path[1] == "intermediate":
        return (3 if path[2] in SECOND_HALF else 2, path[2])
    return (4, node["name"])


def read(manifest: Path) -> tuple[list[list[str]], set[tuple[tuple[int, str], tuple[int, str]]]]:
    """Return the boxes of each lane and the arrows between boxes, from a manifest.json."""
    content = json.loads(manifest.read_text())
    nodes = content["nodes"] | content["sources"]
    boxes: dict[int, set[str]] = defaultdict(set)
    arrows = set()
    for key, node in nodes.items():
        box = box_of(node)
        if box is None:
            continue
        boxes[box[0]].add(box[1])
        for parent in content["parent_map"].get(key, []):
            origin = box_of(nodes[parent]) if parent in nodes else None
            if origin is not None and origin[0] < box[0]:
                arrows.add((origin, box))
    return [sorted(boxes[lane]) for lane in range(len(LANES))], arrows


def untangled(lanes: list[list[str]], arrows: set) -> list[list[str]]:
    """Return the lanes with their boxes ordered by the mean place of what they read, so that fewer arrows cross."""
    place = {(lane, name): index / len(names) for lane, names in enumerate(lanes) for index, name in enumerate(names)}
    for _ in range(12):
        for lane, names in enumerate(lanes):
            near = {
                name: [place[a if b == (lane, name) else b] for a, b in arrows if (lane, name) in (a, b)]
                for name in names
            }
            names.sort(key=lambda name: (sum(near[name]) / len(near[name]) if near[name] else 0.5, name))
            place |= {(lane, name): (index + 0.5) / len(names) for index, name in enumerate(names)}
    return lanes


def draw(lanes: list[list[str]], arrows: set) -> str:
    """Return the picture as SVG text."""
    height = TOP + ROW * max(map(len, lanes)) + MARGIN
    width = MARGIN * 2 + LANE * (len(LANES) - 1) + BOX_WIDTH
    at = {}
    for lane, names in enumerate(lanes):
        offset = TOP + (height - TOP - MARGIN - ROW * len(names)) / 2
        at |= {(lane, name): (MARGIN + lane * LANE, offset + ROW * index) for index, name in enumerate(names)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Helvetica, sans-serif">',
        f'<rect width="{width}" height="{height}" rx="10" fill="#fbfbf9"/>',
    ]
    for a, b in sorted(arrows):
        (x1, y1), (x2, y2) = at[a], at[b]
        x1, y1, y2 = x1 + BOX_WIDTH, y1 + BOX_HEIGHT / 2, y2 + BOX_HEIGHT / 2
        bend = (x2 - x1) / 2
        curve = f"M{x1:.0f},{y1:.0f} C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
        parts.append(
            f'<path d="{curve}" fill="none" stroke="{COLOURS[a[0]]}" stroke-opacity="0.55" stroke-width="1.4"/>'
        )
    for lane, title in enumerate(LANES):
        x = MARGIN + lane * LANE + BOX_WIDTH / 2
        parts.append(f'<text x="{x}" y="34" text-anchor="middle" font-size="14" fill="#444">{escape(title)}</text>')
    for (lane, name), (x, y) in at.items():
        parts.append(
            f'<rect x="{x}" y="{y:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="{COLOURS[lane]}"/>'
        )
        middle = y + BOX_HEIGHT / 2 + 4.5
        style = 'text-anchor="middle" font-size="12.5" fill="white"'
        parts.append(f'<text x="{x + BOX_WIDTH / 2}" y="{middle:.0f}" {style}>{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    lanes, arrows = read(Path("target/manifest.json"))
    Path("docs/pictures/lineage.svg").write_text(draw(untangled(lanes, arrows), arrows))
