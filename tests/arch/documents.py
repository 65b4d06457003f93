"""The documents against the tree: they name nothing that does not exist, and leave nothing out."""

import fnmatch
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import subprocess
import unittest

import project

readme_lines_max = 150
by_name = {str(file.relative_to(project.root)): file.read_text()
           for file in [project.root / name for name in ("README.md", "CONTRIBUTING.md",
                                                         "bench/README.md", "tests/model/README.md",
                                                         *sorted(project.root.glob("docs/*.md")))]}
everything = "\n".join(by_name.values())
schema = json.loads((project.root / "config/flashsale.schema.json").read_text())


def without_blocks(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def quoted(text):
    """What stands in backquotes, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def rows(text, *header):
    """The cells of every table whose header line is this."""
    line = "| " + " | ".join(header) + " |\n"
    found = []
    for table in text.split(line)[1:]:
        for row in table.split("\n")[1:]:
            if not row.startswith("|"):
                break
            found.append([cell.strip() for cell in row.strip("|").split("|")])
    assert found, f"there is no table {header}"
    return found


def section(text, heading):
    """From a heading to the next one of its level or above."""
    begin = text.index(f"\n{heading}\n") + len(heading) + 2
    level = len(heading.split()[0])
    end = re.search(rf"^#{{1,{level}}} ", text[begin:], re.MULTILINE)
    return text[begin:begin + end.start()] if end else text[begin:]


def missing_paths(text):
    folders = sorted(entry.name for entry in project.root.iterdir()
                     if entry.is_dir() and not entry.name.startswith(".") and entry.name != "build")
    path = re.compile(rf"(?<![\w/.-])(?:{'|'.join(folders)})/[\w./-]*\w")
    named = set(path.findall(text))
    named |= {one for one in quoted(text) if re.fullmatch(r"[\w.]+\.(?:ya?ml|txt|json)", one)
              and not one.startswith("report.")}
    return sorted(one for one in named if not (project.root / one).exists())


def fault_cells():
    cells = (project.root / "tests/faults/CMakeLists.txt").read_text()
    return re.findall(r'^    "([^"]+)"\)?$', cells, re.MULTILINE)


def test_names():
    """Of all tests, as ctest names them."""
    names = set()
    for file in sorted((project.root / "tests").rglob("*_test.cpp")):
        label = file.relative_to(project.root / "tests").parts[0]
        for strings in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', file.read_text()):
            names.add(label + ": " + "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings)))
    names |= {"faults: " + cell for cell in fault_cells()}
    scripts = (project.root / "tests/arch/CMakeLists.txt").read_text()
    sentences = re.findall(r'^arch_test\("([^"]+)"', scripts, re.MULTILINE)
    return names | {"arch: " + sentence for sentence in sentences}


def missing_tests(text):
    """Tests that do not exist, and commands that would run none."""
    names = test_names()
    label = re.compile(r"(unit|contract|functional|faults|arch): ")
    missing = [one for one in quoted(text) if label.match(one) and one not in names]
    for pattern in re.findall(r"(?:script/test|ctest) [^\n`]*-R '([^']+)'", text):
        if pattern != "PATTERN" and not any(re.search(pattern, name) for name in names):
            missing.append(pattern)
    for pattern in re.findall(r"script/faults --only '([^']+)'", text):
        if not fnmatch.filter(fault_cells(), pattern):
            missing.append(pattern)
    sections = re.search(r"section_names\(\).*?\{(.*?)\};", (project.root / "bench/report/report.cpp")
                         .read_text(), re.DOTALL)[1]
    for name in re.findall(r"script/bench --only (\w+)", text):
        if f'"{name}"' not in sections:
            missing.append(name)
    return missing


def commands():
    """Those of the program, with those of its subcommands."""
    def below(*words):
        text = subprocess.run([project.flashsale, *words, "--help"], check=True, text=True,
                              capture_output=True).stdout
        block = text.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
        for name in re.findall(r"^  (\S+)", block, re.MULTILINE):
            yield " ".join((*words, name))
            yield from below(*words, name)
    return set(below())


def unknown_commands(text, known):
    unknown = []
    for words in re.findall(r"(?:^|`|release/)flashsale ((?:[a-z-]+ ?)+)", text, re.MULTILINE):
        first, *more = words.split()
        nested = f"{first} {more[0]}" if more else ""
        has_more = any(one.startswith(first + " ") for one in known)
        if first not in known or (has_more and nested and nested not in known):
            unknown.append(words.strip())
    return unknown


def anchors(text):
    """As GitHub makes them of headings."""
    found = []
    for heading in re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return found


def broken_links(name, text):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(text)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (project.root / name).parent / path if path else project.root / name
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            broken.append(f"{name}: {target}")
    return broken


def problem_codes():
    """Those that routes_test.cpp has found in the program."""
    lines = (project.root / "tests/arch/problems.txt").read_text().splitlines()
    return {tuple(line.split()) for line in lines}


def routes():
    """Those that routes_test.cpp has found in the program."""
    lines = (project.root / "tests/arch/routes.txt").read_text().splitlines()
    return {tuple(line.split()[:2]) for line in lines}


def keys_table():
    """The script, as a module."""
    loader = importlib.machinery.SourceFileLoader("keys_table",
                                                  str(project.root / "script/keys-table"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("keys_table", loader))
    loader.exec_module(module)
    return module


class Documents(unittest.TestCase):
    maxDiff = None

    def test_readers(self):
        self.assertLessEqual(by_name["README.md"].count("\n"), readme_lines_max)
        for name, text in by_name.items():
            if name != "README.md":
                self.assertRegex(text, r"\A# .+\n\nFor people who ", name)
            if name.startswith("docs/") or name == "CONTRIBUTING.md":
                self.assertIn(f"({name})", by_name["README.md"], "README does not lead there")
        self.assertIn("**For whom.**", by_name["README.md"])

    def test_links(self):
        self.assertGreater(len(re.findall(r"\]\(", everything)), 80)
        self.assertEqual([one for name, text in by_name.items()
                          for one in broken_links(name, text)], [])

    def test_paths(self):
        self.assertEqual(missing_paths(everything), [])
        metrics = (project.root / "tests/arch/metrics.txt").read_text().split()
        named = [name for name in quoted(everything)
                 if re.fullmatch(r"flashsale_\w+_(total|ms|bytes|events|connections)", name)]
        self.assertGreater(len(named), 12)
        self.assertEqual([one for one in named if one not in metrics], [])

    def test_commands(self):
        known = commands()
        self.assertIn("parked list", known)
        self.assertEqual(unknown_commands(everything, known), [])
        self.assertEqual(unknown_commands("`flashsale sell`, `flashsale parked eat ID`", known),
                         ["sell", "parked eat"])

    def test_api(self):
        page = by_name["docs/api.md"]
        table = rows(page, "status", "code", "when")
        codes = [(status, code.strip("`")) for status, code, _ in table]
        self.assertEqual(len(codes), len(set(codes)), "a code is listed twice")
        self.assertEqual(set(codes), problem_codes())
        api = rows(page, "method", "path", "request", "answers")
        self.assertEqual({(verb, path.strip("`")) for verb, path, _, _ in api}, routes())
        for _, _, _, answers in api:
            self.assertLessEqual(set(re.findall(r"(\d+) `(\w+)`", answers)), problem_codes())

    def test_keys(self):
        sections = {name: of["properties"] for name, of in schema["properties"].items()
                    if "properties" in of}
        key_like = re.compile(rf"(?:{'|'.join(sections)})\.[a-z_]+")
        # The one is noted for all processes, and is no key of the file; the other is Lua.
        named = {one for one in quoted(everything)
                 if key_like.fullmatch(one) and not one.endswith((".cpp", ".hpp"))}
        named -= {"redis.shards", "redis.call"}
        self.assertGreater(len(named), 60)
        for key in sorted(named):
            name, _, of = key.partition(".")
            self.assertIn(of, sections[name], key)

    def test_keys_table(self):
        script, page = keys_table(), by_name["docs/configuration.md"]
        self.assertEqual(page, script.written(page, schema), "run script/keys-table")
        changed = json.loads(json.dumps(schema))
        changed["properties"]["http"]["properties"]["port"]["default"] = 8081
        self.assertNotEqual(page, script.written(page, changed))

    def test_kinds_of_keys(self):
        """What SIGHUP takes over, and what is the whole deployment's, as the program says."""
        page = by_name["docs/configuration.md"]
        settings = (project.root / "src/app/config_settings.cpp").read_text()
        reloaded = settings.split("bool setting::reloads()")[1].split("};")[0]
        shown = page.split("<!-- reloaded -->\n")[1].split("\n\n")[0]
        self.assertEqual(quoted(shown), re.findall(r'"([\w.]+)"', reloaded))
        agreed = (project.root / "src/stock/shards/deployment.cpp").read_text()
        places = (project.root / "src/app/compose.hpp").read_text()
        names = re.findall(r'agree_on\(database, "([^"]+)"', agreed)
        names += re.findall(r'places = \{\{"([^"]+)"', places)
        names += re.findall(r'\{"(virtual host[^"]+)"', places)
        names += re.findall(r'places\.emplace_back\("([^"]+)"', places)
        noted = rows(page, "noted value", "from the key", "may be changed")
        self.assertEqual(sorted(name.strip("`") for name, _, _ in noted), sorted(names))

    def test_tests(self):
        self.assertEqual(missing_tests(everything), [])
        self.assertGreater(len(re.findall(r"`functional: ", by_name["docs/proof.md"])), 50)
        sums = [one for cells in rows(section(by_name["docs/operations.md"], "### The sums"),
                                      "sum", "what it proves") for one in quoted(cells[0])]
        audit = "".join(one.read_text() for one in (project.root / "src/audit").glob("*sums.cpp"))
        for one in sums:
            self.assertIn(f'"{one}"', audit)
        self.assertEqual(len(sums), 31)

    def test_rooms(self):
        source = (project.root / "src/CMakeLists.txt").read_text()
        list_of = re.findall(r"flashsale_allow\((\w+)([^)]*)\)", source)
        table = rows(by_name["docs/architecture.md"], "module", "what it is", "may use", "why")
        allowed = {name: uses.split() for name, uses in list_of}
        shown = {name: uses.split() for name, _, uses, _ in table}
        self.assertEqual(shown, allowed)

    def test_a_wrong_page(self):
        wrong = ("see `src/stock/redis/lua/undo.lua`, script/restart, `unit: not written`, run "
                 "`script/test -R 'never written'`, `script/faults --only 'moon: *'` and "
                 "`script/bench --only luck`; [here](api.md#nowhere), [there](docs/none.md), "
                 "[fine](docs/api.md#routes)")
        self.assertEqual(missing_paths(wrong), ["docs/none.md", "script/restart",
                                                "src/stock/redis/lua/undo.lua"])
        self.assertEqual(missing_tests(wrong), ["unit: not written", "never written", "moon: *",
                                                "luck"])
        self.assertEqual(broken_links("README.md", wrong),
                         ["README.md: api.md#nowhere", "README.md: docs/none.md"])


if __name__ == "__main__":
    unittest.main()
