"""manual.py EXECUTABLE FOLDER: writes its manual page and its completion for bash.

All that they say comes from the executable's own --help, so that neither can tell another story.
"""

import pathlib
import re
import subprocess
import sys


class Command:
    """One page of --help, and those of its subcommands."""

    def __init__(self, executable, words=()):
        self.words = words
        text = subprocess.run([executable, *words, "--help"], check=True, capture_output=True,
                              text=True).stdout
        self.summary, rest = text.split("\nUsage: ", 1)
        self.usage, rest = rest.split("\n", 1)
        self.entries = {}
        section = None
        self.footer = ""
        for line in rest.splitlines():
            if heading := re.fullmatch(r"(Options|Positionals|Subcommands):", line):
                section = self.entries.setdefault(heading[1], [])
            elif line.startswith(" ") and section is not None:
                if re.match(r" {20}", line):
                    section[-1][1] = (section[-1][1] + " " + line.strip()).strip()
                else:
                    name, _, meaning = line.strip().partition("  ")
                    section.append([name, meaning.strip()])
            elif line or self.footer:
                section = None
                self.footer += line + "\n"
        self.commands = [Command(executable, (*words, name))
                         for name, _ in self.entries.get("Subcommands", [])]

    def options(self):
        return [flag for name, _ in self.entries.get("Options", [])
                for flag in name.split()[0].split(",")]

    def walk(self):
        yield self
        for command in self.commands:
            yield from command.walk()


def troff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def listed(entries):
    return "".join(f".TP\n.B {troff(name)}\n{troff(meaning)}\n" for name, meaning in entries)


def page(top, version):
    out = [f'.TH FLASHSALE 1 "" "{version}" "User Commands"\n',
           ".SH NAME\nflashsale \\- flash sales that are never oversold\n",
           f".SH SYNOPSIS\n.B {troff(top.usage)}\n",
           f".SH DESCRIPTION\n{troff(top.summary)}\n",
           f".SH OPTIONS\n{listed(top.entries['Options'])}",
           ".SH COMMANDS\n"]
    for command in list(top.walk())[1:]:
        out.append(f".SS {troff(command.usage)}\n{troff(command.summary)}\n")
        own = [entry for entry in command.entries.get("Options", [])
               if not entry[0].startswith("-h,")]
        out.append(listed(command.entries.get("Positionals", []) + own))
    environment, codes = top.footer.strip().split("\n\nExit codes: ")
    out.append(f".SH ENVIRONMENT\n{troff(environment)}\n")
    out.append(".SH EXIT STATUS\n")
    parts = re.split(r"; (?=\d )", " ".join(codes.split()).rstrip("."))
    out.append(listed(part.split(" ", 1) for part in parts))
    return "".join(out)


def bash(top):
    cases = []
    for command in top.walk():
        words = [name for name, _ in command.entries.get("Subcommands", [])] + command.options()
        cases.append(f"        '{' '.join(command.words)}') words='{' '.join(words)}' ;;\n")
    return f"""# Completion for bash; written by the build from flashsale --help.
_flashsale() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} command= words= i
    COMPREPLY=()
    if [[ ${{COMP_WORDS[COMP_CWORD - 1]}} == --config ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${{COMP_WORDS[i]}} != -* ]] || break
        command+=${{command:+ }}${{COMP_WORDS[i]}}
    done
    case $command in
{"".join(cases)}    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o filenames -F _flashsale flashsale
"""


def main():
    executable, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    version = subprocess.run([executable, "--version"], check=True, capture_output=True,
                             text=True).stdout.strip()
    top = Command(executable)
    (folder / "flashsale.1").write_text(page(top, version))
    (folder / "flashsale.bash").write_text(bash(top))


if __name__ == "__main__":
    main()
