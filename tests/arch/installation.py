"""What `cmake --install` and CPack make of the build: complete, and true to the program."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import project

version = re.search(r"project\(flashsale VERSION ([\d.]+)",
                    (project.root / "CMakeLists.txt").read_text())[1]
manual = project.build / "packaging/flashsale.1"
bare = {name: value for name, value in os.environ.items() if not name.startswith("FLASHSALE_")}

expected = """
bin/flashsale
etc/flashsale/flashsale.json
lib/systemd/system/flashsale.service
share/bash-completion/completions/flashsale
share/doc/flashsale/CHANGELOG.md
share/doc/flashsale/NOTICE
share/doc/flashsale/README.md
share/doc/flashsale/copyright
share/doc/flashsale/docs/api.md
share/doc/flashsale/docs/architecture.md
share/doc/flashsale/docs/configuration.md
share/doc/flashsale/docs/operations.md
share/doc/flashsale/docs/performance.md
share/doc/flashsale/docs/proof.md
share/doc/flashsale/docs/report.svg
share/doc/flashsale/examples/embedded.json
share/doc/flashsale/examples/stack.json
share/flashsale/flashsale.schema.json
share/man/man1/flashsale.1
""".split()


def tree(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def install(prefix, **variables):
    code, output = project.run([project.cmake, "--install", project.build, "--prefix", prefix],
                               env={**bare, **variables})
    assert code == 0, output


def help_of(*words):
    return subprocess.run([project.flashsale, *words, "--help"], check=True, text=True,
                          capture_output=True).stdout


def commands(*words):
    """Each command's words, by the indentation of the help alone."""
    yield words
    block = help_of(*words).partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^  (\S+)", block, re.MULTILINE):
        yield from commands(*words, name)


def flags_of(*words):
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", help_of(*words), re.MULTILINE))


def undocumented(text):
    """Commands and options that a manual page lacks in their place."""
    parts = {part.partition("\n")[0]: part for part in text.replace("\\-", "-").split("\n.SS ")}
    lacking = []
    for words in commands():
        name = " ".join(("flashsale", *words))
        heading = [one for one in parts
                   if not words or re.match(re.escape(name) + r" \[", one)]
        found = parts[heading[0]] if heading else ""
        if not found:
            lacking.append(name)
        lacking += [f"{name} {flag}" for flag in sorted(flags_of(*words))
                    if found and flag != "--help" and flag not in found]
    return lacking


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Installation(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_tree(self):
        """From a prefix of its own, in a working folder that has nothing to do with it."""
        prefix = self.folder / "prefix"
        install(prefix)
        self.assertEqual(tree(prefix), expected)
        program, config = prefix / "bin/flashsale", prefix / "etc/flashsale/flashsale.json"
        (prefix / "var/lib").mkdir(parents=True)
        environment = {**bare, "FLASHSALE_HTTP__PORT": "0"}

        def command(*words):
            return project.run([program, *words], cwd="/", env=environment)

        self.assertEqual(command("--version"), (0, "flashsale " + version))
        self.assertEqual(command("check-config", "--config", config), (0, ""))
        shown = command("check-config", "--schema")[1]
        schema = (prefix / "share/flashsale/flashsale.schema.json").read_text()
        self.assertEqual(json.loads(shown), json.loads(schema))
        log = open(self.folder / "log", "w")
        server = subprocess.Popen([program, "serve", "--config", config], cwd="/",
                                  env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            first = server.stdout.readline()
            url = re.search(r"http://\S+", first)
            self.assertTrue(url, first + (self.folder / "log").read_text())
            user = post(url[0] + "/v1/users", {"username": "ada"})[1]["id"]
            product = post(url[0] + "/v1/products",
                           {"name": "Lamp", "price": 1999, "stock": 3})[1]["id"]
            order = {"user_id": user, "product_id": product, "quantity": 2}
            self.assertEqual(post(url[0] + "/v1/orders", order)[0], 201)
            self.assertEqual(post(url[0] + "/v1/orders", order)[1]["code"], "out_of_stock")
            code, output = command("audit", "--config", config, "--wait", "60")
            self.assertEqual(code, 0, output)
            self.assertTrue((prefix / "var/lib/flashsale/order.db").exists())
        finally:
            server.terminate()
            self.assertEqual(server.wait(60), 0)
            server.stdout.close()
            log.close()

    def test_configuration_stays(self):
        config = self.folder / "etc/flashsale/flashsale.json"
        install(self.folder)
        config.write_text(config.read_text() + "// changed\n")
        install(self.folder)
        self.assertIn("// changed", config.read_text())

    def test_manual(self):
        text = manual.read_text()
        self.assertEqual(undocumented(text), [])
        code, output = project.run(["mandoc", "-T", "lint", "-W", "warning", manual])
        output = re.sub(r"mandoc: \S+ WARNING: missing date, using \"\": TH", "", output).strip()
        self.assertEqual(output, "")
        without = re.sub(r"\.TP\n\.B \\-\\-watch.*\n.*\n", "", text)
        without = re.sub(r"\.SS flashsale parked drop[^.]*\n(\.TP\n.*\n.*\n)*", "", without)
        self.assertEqual(undocumented(without), ["flashsale audit --watch",
                                                 "flashsale parked drop"])

    def test_completion(self):
        def candidates(*words):
            script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flashsale;'
                      ' printf "%s\\n" "${COMPREPLY[@]}"')
            return set(subprocess.run(
                ["bash", "-euc", script, project.build / "packaging/flashsale.bash", "flashsale",
                 *words], check=True, text=True, capture_output=True, cwd=self.folder,
            ).stdout.split())

        for words in commands():
            below = {other[-1] for other in commands() if other and other[:-1] == words}
            self.assertEqual(candidates(*words, "") - {"-h"}, below | flags_of(*words), words)
        self.assertEqual(candidates("par"), {"parked"})
        self.assertEqual(candidates("audit", "--wa"), {"--wait", "--watch"})
        (self.folder / "shop.json").touch()
        self.assertEqual(candidates("serve", "--config", "sh"), {"shop.json"})

    def test_unit(self):
        """As systemd reads it, and as it rates what the process may do."""
        install("/usr", DESTDIR=str(self.folder))
        unit = self.folder / "usr/lib/systemd/system/flashsale.service"
        text = unit.read_text()
        self.assertIn("ExecStart=/usr/bin/flashsale serve --config /etc/flashsale/flashsale.json\n",
                      text)
        self.assertTrue((self.folder / "etc/flashsale/flashsale.json").exists())
        self.assertNotIn("@", re.sub(r"@(system-service|privileged|resources)", "", text))
        code, output = project.run(["systemd-analyze", "security", "--offline=yes",
                                    "--threshold=15", "--no-pager", unit])
        self.assertEqual(code, 0, output)
        # The executable is not where the unit will find it.
        unit.write_text(text.replace("/usr/bin/flashsale", project.flashsale)
                        .replace("User=flashsale\nGroup=flashsale\n", ""))
        code, output = project.run(["systemd-analyze", "verify", "--man=no", unit])
        self.assertEqual((code, [line for line in re.findall(r"flashsale\.service:\d+:.*", output)]),
                         (0, []), output)

    def test_notice(self):
        licence = (project.root / "LICENSE").read_text()
        self.assertEqual(licence, pathlib.Path("/usr/share/common-licenses/Apache-2.0").read_text())
        code, output = project.run(["readelf", "-d", project.flashsale])
        self.assertEqual(code, 0, output)
        needed = set(re.findall(r"NEEDED\) Shared library: \[([^\]]+?)\.so[\d.]*\]", output))
        self.assertIn("libpq", needed)
        notice = (project.root / "NOTICE").read_text()
        self.assertEqual([one for one in sorted(needed)
                          if not re.search(rf"(?<![\w-]){re.escape(one)}(?![\w+])", notice)], [])

    def test_changelog(self):
        text = (project.root / "CHANGELOG.md").read_text()
        releases = re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)
        self.assertEqual(releases[:2], ["Unreleased", version])

    def test_package(self):
        code, output = project.run(["cpack", "--config", project.build / "CPackConfig.cmake", "-B",
                                    self.folder], cwd=self.folder, env=bare)
        self.assertEqual(code, 0, output)
        debs = list(self.folder.glob("*.deb"))
        self.assertEqual([deb.name.split("_")[:2] for deb in debs], [["flashsale", version]])
        inside = self.folder / "inside"
        subprocess.run(["dpkg-deb", "-R", debs[0], inside], check=True)
        shutil.move(inside / "DEBIAN", self.folder / "control")
        self.assertEqual(tree(inside), sorted(
            one if one.startswith("etc/") else "usr/" + one for one in expected))
        fields = (self.folder / "control/control").read_text()
        depends = re.search(r"^Depends: (.*)$", fields, re.MULTILINE)[1]
        for package in ("adduser", "libpq5", "librabbitmq4", "libhiredis0.14", "libsqlite3-0"):
            self.assertIn(package, depends)
        self.assertEqual((self.folder / "control/conffiles").read_text().split(),
                         ["/etc/flashsale/flashsale.json"])
        for name in ("postinst", "prerm", "postrm"):
            self.assertTrue(os.access(self.folder / "control" / name, os.X_OK), name)


if __name__ == "__main__":
    unittest.main()
