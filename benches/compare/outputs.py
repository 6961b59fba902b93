"""Compares what two tools answered: the same rows in any order, whole numbers alike, doubles to nine digits.

    python3 outputs.py QUERY OURS OUR_SHAPE THEIRS THEIR_SHAPE

prints a line of JSON: {"rows": …, "differences": […]}. A shape is `csv`, `named-csv` (the first line holds the
names) or `json` (an array of objects with the columns in their order). It is a program of its own so that its
memory is gone afterwards.

Texts are brought into one form first: no quotes, times as `2026-01-01T00:00:00` with what is left of the
fraction after its zeros, whatever blank, zone or missing seconds a tool wrote.
"""

import json
import math
import os
import sys

from queries import QUERIES

# Sums of doubles depend on the order of adding; ours are exact.
RELATIVE = 1e-9
SHOWN = 5


def lines(path, shape):
    """The lines of a file, or of all files of a folder."""
    if shape == "json":
        with open(path, encoding="utf-8") as file:
            yield from (",".join(map(str, row.values())) for row in json.load(file))
        return
    paths = [path]
    if os.path.isdir(path):
        # Flink hides what is not finished.
        paths = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name[0] not in "._"]
    for part in paths:
        with open(part, encoding="utf-8") as file:
            if shape == "named-csv":
                next(file, None)
            for line in file:
                if line := line.strip():
                    yield line


def time(text):
    """A time in one form."""
    text = text.removesuffix("Z")
    if text[10] == " ":
        text = f"{text[:10]}T{text[11:]}"
    if len(text) == 16:
        return text + ":00"
    if "." in text:
        return text.rstrip("0").rstrip(".")
    return text


def whole(text):
    """A whole number in one form, also where a tool sums in doubles."""
    if text.isdigit():
        return text
    number = float(text)
    return str(int(number)) if number.is_integer() else text


CANONICAL = {"time": time, "text": str, "integer": whole, "double": str}


def rows(path, shape, query):
    """(key, values) of each line, as texts."""
    forms = [CANONICAL[kind] for _, kind in query.columns]
    for line in lines(path, shape):
        values = line.replace('"', "").split(",")
        if len(values) != len(forms):
            raise ValueError(f"{len(values)} values instead of {len(forms)}: {line}")
        values = [form(value) for form, value in zip(forms, values)]
        yield ",".join(values[: query.keys]), ",".join(values[query.keys :])


def alike(ours, theirs, kinds):
    """Whether values are the same but for the last digits of doubles."""
    for kind, left, right in zip(kinds, ours.split(","), theirs.split(",")):
        if kind == "double":
            if not math.isclose(float(left), float(right), rel_tol=RELATIVE):
                return False
        elif left != right:
            return False
    return True


def compare(query, ours, theirs):
    """`ours` and `theirs` are pairs of a path and a shape."""
    kinds = [kind for _, kind in query.columns[query.keys :]]
    differences = []
    expected = {}
    for key, values in rows(*ours, query):
        if key in expected:
            differences.append(f"tumble has {key} twice")
        expected[key] = values
    count = len(expected)
    for key, values in rows(*theirs, query):
        wanted = expected.pop(key, None)
        if wanted is None:
            differences.append(f"more or twice: {key}: {values}")
        elif wanted != values and not alike(wanted, values, kinds):
            differences.append(f"{key}: {values} instead of {wanted}")
    differences += [f"missing: {key}: {values}" for key, values in expected.items()]
    return {"rows": count, "differences": differences[:SHOWN], "different": len(differences)}


if __name__ == "__main__":
    name, our_path, our_shape, their_path, their_shape = sys.argv[1:]
    try:
        found = compare(
            QUERIES[name],
            (our_path, our_shape),
            (their_path, their_shape),
        )
    except (OSError, ValueError, IndexError) as error:
        found = {"rows": 0, "differences": [str(error)], "different": 1}
    print(json.dumps(found))
