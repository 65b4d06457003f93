"""The configuration file, its JSON Schema, and the program that reads both."""

import copy
import json
import os
import re
import subprocess
import tempfile
import unittest

import jsonschema

import project

schema = json.loads((project.root / "config/flashsale.schema.json").read_text())

# Without the comments that the program allows: strings first, so that a URL's // stays.
commented = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def example(name):
    text = (project.root / "config" / name).read_text()
    return json.loads(commented.sub(lambda found: found.group(1) or "", text))


def stack():
    return example("stack.json")


def valid(value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def accepted(value):
    """By the program, in an environment that says nothing."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("FLASHSALE_")}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(value, file)
        file.flush()
        code, output = project.run([project.flashsale, "check-config", "--config", file.name],
                                   env=environment)
    assert code in (0, 2), output
    return code == 0


class Configuration(unittest.TestCase):
    def test_examples(self):
        jsonschema.Draft202012Validator.check_schema(schema)
        for name in ("stack.json", "embedded.json"):
            with self.subTest(name):
                jsonschema.Draft202012Validator(schema).validate(example(name))
                self.assertTrue(accepted(example(name)))

    def test_wrong_files(self):
        wrong = [("http", "port", "8080"), ("http", "port", 65536), ("http", "ports", 1),
                 ("stock", "gate", "paper"), ("recorder", "enabled", "yes"),
                 ("orders", "confirm_deadline_ms", 0), ("redis", "url", ""), ("amqp", "url", 5672)]
        for section, key, value in wrong:
            with self.subTest(f"{section}.{key} = {value!r}"):
                config = copy.deepcopy(stack())
                config.setdefault(section, {})[key] = value
                self.assertFalse(valid(config), "the schema accepts it")
                self.assertFalse(accepted(config), "the program accepts it")
        for config in ({"htpp": {}}, {"http": []}, []):
            self.assertFalse(valid(config) or accepted(config), config)
        for config in ({}, {"http": {}}, {"http": {"port": 0}}):
            self.assertTrue(valid(config) and accepted(config), config)

    def test_schema(self):
        printed = subprocess.run([project.flashsale, "check-config", "--schema"], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual(printed, (project.root / "config/flashsale.schema.json").read_text(),
                         "flashsale check-config --schema > config/flashsale.schema.json")


if __name__ == "__main__":
    unittest.main()
