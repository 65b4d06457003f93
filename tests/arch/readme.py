"""README.md against the tree: it names nothing that does not exist, and leaves nothing out."""

import json
import pathlib
import re
import unittest

import project

readme = (project.root / "README.md").read_text()


def quoted(text):
    """What stands in backquotes, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def rows(text, *header):
    """The cells of every table whose header line is this."""
    line = "| " + " | ".join(header) + " |\n"
    found = []
    for table in text.split(line)[1:]:
        for row in table.split("\n")[1:]:
            if not row.startswith("|"):
                break
            found.append([cell.strip() for cell in row.strip("|").split("|")])
    assert found, f"README has no table {header}"
    return found


def missing_paths(text):
    folders = sorted(entry.name for entry in project.root.iterdir()
                     if entry.is_dir() and not entry.name.startswith(".") and entry.name != "build")
    path = re.compile(rf"(?<![\w/.-])(?:{'|'.join(folders)})/[\w./-]*\w")
    named = set(path.findall(text))
    named |= {one for one in quoted(text) if re.fullmatch(r"[\w.]+\.(?:ya?ml|txt|json)", one)}
    assert len(named) > 30
    return sorted(one for one in named if not (project.root / one).exists())


def test_names():
    """Of all tests, as ctest names them."""
    names = set()
    for file in sorted((project.root / "tests").rglob("*_test.cpp")):
        label = file.relative_to(project.root / "tests").parts[0]
        for strings in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', file.read_text()):
            names.add(label + ": " + "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings)))
    cells = (project.root / "tests/faults/CMakeLists.txt").read_text()
    names |= {"faults: " + cell for cell in re.findall(r'^    "([^"]+)"\)?$', cells, re.MULTILINE)}
    scripts = (project.root / "tests/arch/CMakeLists.txt").read_text()
    sentences = re.findall(r'^arch_test\("([^"]+)"', scripts, re.MULTILINE)
    return names | {"arch: " + sentence for sentence in sentences}


def missing_tests(text):
    label = re.compile(r"(unit|contract|functional|faults|arch): ")
    named = [one for one in quoted(text) if label.match(one)]
    assert len(named) > 15
    return [one for one in named if one not in test_names()]


def problem_codes():
    source = (project.root / "src/http/problem.cpp").read_text()
    return set(re.findall(r'problem_row\{\w+, (\d+), "(\w+)"', source))


def routes():
    found = {("GET", path) for path in ("/livez", "/readyz", "/metrics")}
    for file in sorted((project.root / "src").glob("*/*routes.cpp")):
        for verb, path in re.findall(r'method::(get|post),\s*"([^"]+)"', file.read_text()):
            found.add((verb.upper(), path))
    return found


class Readme(unittest.TestCase):
    maxDiff = None

    def test_paths(self):
        self.assertEqual(missing_paths(readme), [])
        metrics = (project.root / "tests/arch/metrics.txt").read_text().split()
        for name in quoted(readme):
            if re.match(r"flashsale_\w+_(total|ms)$", name):
                self.assertIn(name, metrics)

    def test_api(self):
        table = rows(readme, "status", "code", "when")
        codes = [(status, code.strip("`")) for status, code, _ in table]
        self.assertEqual(len(codes), len(set(codes)), "a code is listed twice")
        self.assertEqual(set(codes), problem_codes())
        api = rows(readme, "method", "path", "request", "answers")
        self.assertEqual({(verb, path.strip("`")) for verb, path, _, _ in api}, routes())
        for _, _, _, answers in api:
            self.assertLessEqual(set(re.findall(r"(\d+) `(\w+)`", answers)), problem_codes())

    def test_configuration(self):
        schema = json.loads((project.root / "config/flashsale.schema.json").read_text())
        sections = schema["properties"]

        def default(key):
            section, name = key.split(".")
            return sections[section]["properties"][name]["default"]

        for keys, value, _ in rows(readme, "key", "default", "meaning"):
            for key in quoted(keys):
                shown = default(key)
                shown = shown if isinstance(shown, str) else json.dumps(shown)
                self.assertIn(value.strip("`"), (shown, ""), key)
        key_like = re.compile(rf"(?:{'|'.join(sections)})\.\w+")
        named = [one for one in quoted(readme) if key_like.fullmatch(one)]
        self.assertGreater(len(named), 15)
        for key in named:
            default(key)

    def test_tests(self):
        self.assertEqual(missing_tests(readme), [])
        sums = quoted(readme.split("The sums:")[1].split("**Parked events**")[0])
        audit = (project.root / "src/audit/sums.cpp").read_text()
        for one in sums:
            self.assertIn(f'"{one}"', audit)
        self.assertEqual(len(sums), 15)

    def test_rooms(self):
        source = (project.root / "src/CMakeLists.txt").read_text()
        list_of = re.findall(r"flashsale_allow\((\w+)([^)]*)\)", source)
        table = rows(readme, "module", "what it is", "may use", "why")
        allowed = {name: uses.split() for name, uses in list_of}
        shown = {name: uses.split() for name, _, uses, _ in table}
        self.assertEqual(shown, allowed)

    def test_a_wrong_readme(self):
        wrong = readme + "\nsee `src/stock/lua/undo.lua`, script/restart, `unit: not written`\n"
        self.assertEqual(missing_paths(wrong), ["script/restart", "src/stock/lua/undo.lua"])
        self.assertEqual(missing_tests(wrong), ["unit: not written"])


if __name__ == "__main__":
    unittest.main()
