#!/usr/bin/env python3
"""Draws what a terminal showed as an SVG: text with escape codes in, picture out.

    tmux capture-pane -p -e > live.ansi
    python3 picture.py live.ansi > live.svg

Letters are text in the reader's fixed-width font, each line stretched to its cells. Lines, bars and braille are
drawn as shapes, because fonts disagree on their widths.
"""

import re
import sys
from html import escape

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18, 14, 16
BACKGROUND, FOREGROUND = "#1b1f27", "#d7dae0"
COLORS = ["#4b5263", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"]
PLAIN = {"color": FOREGROUND, "bold": False, "dim": False}


def runs(line, style):
    """The parts of a line that have one style each, with their first cells, and the style behind it."""
    found, cell = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not code:
            if part:
                found.append((cell, part, dict(style)))
            cell += len(part)
            continue
        for number in [int(text or 0) for text in code[1].split(";")]:
            if number == 0:
                style = dict(PLAIN)
            elif number in (1, 2, 22):
                style = {**style, "bold": number == 1, "dim": number == 2}
            elif 30 <= number <= 37 or 90 <= number <= 97:
                style = {**style, "color": COLORS[number % 10]}
            elif number == 39:
                style = {**style, "color": FOREGROUND}
    return found, style


def shape(character):
    """The rectangles (x, y, width, height in parts of a cell) of a character that is drawn."""
    code = ord(character)
    if 0x2581 <= code <= 0x2588:  # ▁ to █, with a gap to the line above
        height = (code - 0x2580) / 8 * 0.88
        return [(0, 1 - height, 1, height)]
    if 0x2589 <= code <= 0x258F:  # ▉ to ▏
        return [(0, 0, (0x2590 - code) / 8, 1)]
    if 0x2800 <= code <= 0x28FF:  # braille: dots 1 2 3 7 to the left, 4 5 6 8 to the right
        places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
        bits = [place for bit, place in enumerate(places) if code - 0x2800 >> bit & 1]
        return [(0.15 + x * 0.5, 0.07 + y * 0.25, 0.24, 0.12) for x, y in bits]
    sides = {"─": "lr", "│": "tb", "┼": "lrtb", "┤": "ltb", "├": "rtb", "┬": "lrb", "┴": "lrt"}
    sides |= {"┌": "rb", "┐": "lb", "└": "rt", "┘": "lt"}
    thin, flat = 0.13, 0.06
    lines = {"l": (0, 0.5, 0.5, flat), "r": (0.5, 0.5, 0.5, flat)}
    lines |= {"t": (0.5, 0, thin, 0.5), "b": (0.5, 0.5, thin, 0.5)}
    # Of double lines only the level ones, as tables have them.
    doubled = {"═": "lr", "╪": "lr", "╞": "r", "╡": "l"}.get(character, "")
    double = [(lines[side][0], y, 0.5, flat) for side in doubled for y in (0.4, 0.6)]
    if character == "┆":
        return [(0.5, y, thin, 0.2) for y in (0.07, 0.4, 0.73)]
    if doubled:
        return double + [lines[side] for side in "tb" if character != "═"]
    return [lines[side] for side in sides.get(character, "")]


def drawn(cell, row, part):
    """A path for the characters of a part that are drawn, one behind the other where they touch."""
    path = ""
    for place, character in enumerate(part):
        for x, y, width, height in shape(character):
            left, top = MARGIN + (cell + place + x) * CELL_WIDTH, MARGIN + (row + y) * CELL_HEIGHT
            across, down = width * CELL_WIDTH, height * CELL_HEIGHT
            path += f"M{left:.1f} {top:.1f}h{across:.1f}v{down:.1f}h{-across:.1f}z"
    return path


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().rstrip("\n").split("\n")
    body, style, columns = [], dict(PLAIN), 0
    for row, line in enumerate(lines):
        parts, style = runs(line, style)
        for cell, part, look in parts:
            columns = max(columns, cell + len(part))
            fill = f'fill="{look["color"]}"' + (' opacity=".6"' if look["dim"] else "")
            weight = ' font-weight="bold"' if look["bold"] else ""
            path = drawn(cell, row, part)
            if path:
                body.append(f'<path {fill} d="{path}"/>')
            words = "".join(" " if shape(character) else character for character in part)
            for word in re.finditer(r"\S+( \S+)*", words):
                x, y = MARGIN + (cell + word.start()) * CELL_WIDTH, MARGIN + (row + 0.75) * CELL_HEIGHT
                length = (word.end() - word.start()) * CELL_WIDTH
                body.append(
                    f'<text {fill}{weight} x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}">{escape(word[0])}</text>'
                )
    width, height = 2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + len(lines) * CELL_HEIGHT
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-size="{FONT_SIZE}"')
    print('  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace">')
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>')
    print("\n".join(body))
    print("</svg>")


main()
