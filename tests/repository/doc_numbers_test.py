#!/usr/bin/env python3
"""Compares numbers in the documentation with those in the code, as doc_numbers.txt lists them.

usage: doc_numbers_test.py [REPOSITORY]

exit: 0 all agree and the checks of the check itself pass, 1 otherwise
"""
import dataclasses
import os
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SOURCES = ("messages", "storage", "controller", "node_agent", "actors", "cli", "bench")
LEAST_ENTRIES = 15  # a list that somebody emptied checks nothing


@dataclasses.dataclass
class Entry:
    line: int
    doc: tuple = None  # path, regex
    src: tuple = None  # base name or end of a path, regex
    times: float = 1


class ListError(Exception):
    """The list itself cannot be used."""


def parse(text):
    """The entries of a list."""
    entries, current = [], None
    for number, line in enumerate(text.splitlines() + [""], 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        if not line:
            if current:
                entries.append(complete(current))
            current = None
            continue
        current = current or Entry(number)
        read_line(current, line, number)
    return entries


def read_line(entry, line, number):
    key, _, rest = line.partition(" ")
    if key == "times":
        entry.times = float(rest)
        return
    where, bar, pattern = rest.partition(" | ")
    if key not in ("doc", "src") or not bar or getattr(entry, key):
        raise ListError(f"line {number}: '{line}' is none of one 'doc FILE | REGEX', one 'src NAME | REGEX', 'times N'")
    pattern = re.compile(pattern.strip())
    if pattern.groups != 1:
        raise ListError(f"line {number}: the regex needs exactly one group, the number")
    setattr(entry, key, (where.strip(), pattern))


def complete(entry):
    if entry.doc and entry.src:
        return entry
    raise ListError(f"line {entry.line}: an entry needs a 'doc' and a 'src'")


def value(text):
    """The number that a document or a source writes as `text`."""
    plain = text.replace(",", "").replace("'", "")
    shift = re.fullmatch(r"(\d+)\s*<<\s*(\d+)", plain)
    return float(int(shift[1]) << int(shift[2])) if shift else float(plain)


def numbers(pattern, text):
    return {value(match[1]) for match in pattern.finditer(text)}


def source_files(root):
    """Paths relative to the repository of what the product is made of."""
    for folder in SOURCES:
        for directory, _, names in os.walk(root / folder):
            for name in names:
                if name.endswith((".h", ".cc")):
                    yield pathlib.Path(directory, name).relative_to(root).as_posix()


def find_source(name, files):
    found = [file for file in files if file == name or file.endswith("/" + name)]
    if len(found) == 1:
        return found[0]
    raise LookupError(f"source '{name}' " + ("is " + " and ".join(sorted(found)) if found else "does not exist"))


def one_number(path, pattern, root):
    """The number that all matches agree on."""
    found = numbers(pattern, (root / path).read_text())
    if len(found) == 1:
        return found.pop()
    what = f"has several numbers {sorted(found)}" if found else "has no match"
    raise LookupError(f"{path} {what} for '{pattern.pattern}'")


def complaints(entries, root):
    """One line for each entry whose numbers differ, or are not found."""
    files, lines = list(source_files(root)), []
    for entry in entries:
        try:
            documented = one_number(*entry.doc, root)
            source = find_source(entry.src[0], files)
            coded = one_number(source, entry.src[1], root)
        except (LookupError, OSError) as error:
            lines.append(f"line {entry.line}: {error}")
            continue
        if abs(documented * entry.times - coded) > 1e-9 * abs(coded):
            times = "" if entry.times == 1 else f" (times {entry.times:g})"
            lines.append(f"line {entry.line}: {entry.doc[0]} says {documented:g}{times}, {source} says {coded:g}")
    return lines


class Documentation(unittest.TestCase):
    def test_numbers_are_those_of_the_code(self):
        entries = parse((HERE / "doc_numbers.txt").read_text())
        self.assertGreaterEqual(len(entries), LEAST_ENTRIES)
        found = complaints(entries, REPOSITORY)
        self.assertFalse(found, "\n".join(["", "tests/repository/doc_numbers.txt:", *found]))


class Check(unittest.TestCase):
    """What the check must refuse, and what it must let pass."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("docs/A.md", "At most 1,024 connections (16 KiB, 0.1 ms).\n")
        self.write("actors/deep/limits.h", "int max = 1024; int bytes = 1 << 14; int us = 100;\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(self, doc, src, times=""):
        return complaints(parse(f"# why\ndoc {doc}\nsrc {src}\n{times}\n"), self.root)

    def test_equal_numbers_pass_wherever_the_source_stands(self):
        self.assertEqual(self.found(r"docs/A.md | most ([\d,]+)", r"limits.h | max = (\d+)"), [])
        self.assertEqual(self.found(r"docs/A.md | most ([\d,]+)", r"deep/limits.h | max = (\d+)"), [])

    def test_units_are_converted(self):
        self.assertEqual(self.found(r"docs/A.md | (\d+) KiB", r"limits.h | bytes = ([\d <]+);", "times 1024"), [])
        self.assertEqual(self.found(r"docs/A.md | ([\d.]+) ms", r"limits.h | us = (\d+)", "times 1000"), [])

    def test_a_wrong_number_is_refused(self):
        self.write("docs/A.md", "At most 1,023 connections.\n")
        (line,) = self.found(r"docs/A.md | most ([\d,]+)", r"limits.h | max = (\d+)")
        self.assertEqual(line, "line 2: docs/A.md says 1023, actors/deep/limits.h says 1024")

    def test_documents_that_contradict_themselves_are_refused(self):
        self.write("docs/A.md", "At most 1,024 connections. At most 512 of one address.\n")
        (line,) = self.found(r"docs/A.md | most ([\d,]+)", r"limits.h | max = (\d+)")
        self.assertIn("several numbers", line)

    def test_what_is_not_found_is_refused(self):
        for doc, src, what in (
                (r"docs/A.md | least (\d+)", r"limits.h | max = (\d+)", "no match"),
                (r"docs/A.md | most ([\d,]+)", r"limits.h | min = (\d+)", "no match"),
                (r"docs/A.md | most ([\d,]+)", r"bounds.h | max = (\d+)", "does not exist"),
                (r"docs/B.md | most ([\d,]+)", r"limits.h | max = (\d+)", "No such file")):
            with self.subTest(doc=doc, src=src):
                (line,) = self.found(doc, src)
                self.assertIn(what, line)

    def test_two_sources_of_one_name_are_refused(self):
        self.write("cli/limits.h", "int max = 1024;\n")
        (line,) = self.found(r"docs/A.md | most ([\d,]+)", r"limits.h | max = (\d+)")
        self.assertIn("actors/deep/limits.h and cli/limits.h", line)

    def test_a_list_that_cannot_be_read_is_refused(self):
        for text in ("doc a | (x)\n", "doc a | x\nsrc b | (x)\n", "doc a | (x)\ndoc a | (x)\nsrc b | (x)\n", "word\n"):
            with self.subTest(text=text), self.assertRaises(ListError):
                parse(text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        REPOSITORY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
