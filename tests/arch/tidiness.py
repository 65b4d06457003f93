"""Rules that a reader of the tree may rely on."""

import pathlib
import re
import tempfile
import unittest

import project

lines_max = 400
code = (".cpp", ".hpp", ".lua", ".sql", ".py", ".sh", ".cmake", ".txt")
marks = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")) + r")\b")
# A comment names the component that acts.
riddles = re.compile(r"(?://|--).*?\b(" + "|".join((
    "who" "ever", "no" "body", "some" "body", "some" "one", "every" "body", "any" "body", "s?he", "his", "him",
)) + r")\b", re.I)


def files(root):
    for folder in ("include", "src", "bench", "tests", "script", "cmake", "migrations"):
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and (file.suffix in code or folder == "script"):
                yield file


def faults(root):
    found = []
    for file in files(root):
        name = file.relative_to(root)
        text = file.read_text()
        count = text.count("\n")
        if count > lines_max:
            found.append(f"{name}: {count} lines, more than {lines_max}")
        for mark in marks.findall(text):
            found.append(f"{name}: {mark}")
        if file.suffix in (".cpp", ".hpp", ".lua") and name.parts[0] != "tests":
            for word in riddles.findall(text):
                found.append(f"{name}: a comment does not say what '{word}' is")
        if not text.endswith("\n"):
            found.append(f"{name}: does not end with a line end")
        if file.suffix == ".lua" and not re.match(r"#!lua.*\n-- \w", text):
            found.append(f"{name}: no head comment below the first line")
        if file.suffix == ".hpp" and not re.match(r"#pragma once\n", text):
            found.append(f"{name}: does not begin with #pragma once")
    for folder in sorted((root / "src").iterdir()):
        if not folder.is_dir():
            continue
        declared = (folder / "CMakeLists.txt").read_text()
        for file in sorted(folder.rglob("*.cpp")):
            if not re.search(rf"(?<![\w/]){re.escape(str(file.relative_to(folder)))}\b", declared):
                found.append(f"{file.relative_to(root)}: not in the module's CMakeLists.txt")
        for file in sorted(folder.rglob("*.lua")):
            if file.stem not in declared:
                found.append(f"{file.relative_to(root)}: not in the module's CMakeLists.txt")
    return found


class Tidiness(unittest.TestCase):
    def test_the_tree(self):
        self.assertGreater(len(list(files(project.root))), 200)
        self.assertEqual(faults(project.root), [])

    def test_a_bad_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            module = pathlib.Path(folder) / "src" / "stock"
            module.mkdir(parents=True)
            (module / "CMakeLists.txt").write_text("flashsale_module(stock SOURCES named.cpp)\n")
            (module / "named.cpp").write_text("int a;\n" * lines_max)
            self.assertEqual(faults(pathlib.Path(folder)), [])
            (module / "named.cpp").write_text("int a;\n" * (lines_max + 1))
            (module / "unnamed.cpp").write_text("// TO" "DO\nint b;")
            (module / "bare.lua").write_text("#!lua\nreturn 1\n")
            (module / "named.hpp").write_text("#pragma once\n// By who" "ever asks.\n")
            (module / "plain.hpp").write_text("int c;\n")
            self.assertEqual(faults(pathlib.Path(folder)), [
                "src/stock/bare.lua: no head comment below the first line",
                "src/stock/named.cpp: 401 lines, more than 400",
                "src/stock/named.hpp: a comment does not say what 'who" "ever' is",
                "src/stock/plain.hpp: does not begin with #pragma once",
                "src/stock/unnamed.cpp: TO" "DO",
                "src/stock/unnamed.cpp: does not end with a line end",
                "src/stock/unnamed.cpp: not in the module's CMakeLists.txt",
                "src/stock/bare.lua: not in the module's CMakeLists.txt",
            ])


if __name__ == "__main__":
    unittest.main()
