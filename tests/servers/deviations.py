#!/usr/bin/env python3
"""What raw clients have shown of the servers in this folder.

  deviations.py check       whether deviations.yaml names only what is there, and docs/deviations.md says the same
  deviations.py page        writes docs/deviations.md
  deviations.py versions    asks each server that is installed for its versions: the lines of played.yaml

It needs ruamel.yaml.
"""

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "deviations.md"
SEVERITIES = {
    "serious": "Clients lose messages or connections, get wrong data, or can harm others.",
    "moderate": "Clients notice it in use that is not rare, or a rule written with MUST guards against something.",
    "minor": "Hardly a client notices it: other wording, other codes, tolerance towards mistakes.",
}
LEVELS = ["must", "should", "official"]
KEYS = {"rule", "servers", "severity", "broken", "instead", "script", "transcripts"}


def read(path):
    return YAML(typ="safe").load(path.read_text())


def servers():
    return {path.parent.name: read(path) for path in sorted(HERE.glob("*/server.yaml"))}


def clauses():
    return {clause["id"]: clause for path in (ROOT / "docs" / "clauses").glob("*.yaml") for clause in read(path)}


def faults(deviations):
    """Sentences, none if all is well."""
    known, rules = servers(), clauses()
    for name, server in known.items():
        if not (HERE / name / server["fixture"]).is_file():
            yield f"{name}: there is no fixture {server['fixture']}"
        if ("start" in server) == ("not_run" in server):
            yield f"{name}: needs `start` or `not_run`"
    used = set()
    for one in deviations:
        name = f"{one.get('rule')}, {one.get('script')}"
        if set(one) != KEYS:
            yield f"{name}: has the keys {sorted(one)}"
            continue
        if one["rule"] not in rules:
            yield f"{name}: docs/clauses has no such clause"
        if one["severity"] not in SEVERITIES:
            yield f"{name}: there is no severity {one['severity']}"
        if "https://" not in one["broken"]:
            yield f"{name}: `broken` names no source"
        if sorted(one["servers"]) != sorted(one["transcripts"]):
            yield f"{name}: `servers` and `transcripts` name different servers"
        for server in one["servers"]:
            if server not in known:
                yield f"{name}: there is no server {server}"
        for file in [one["script"], *one["transcripts"].values()]:
            used.add(file)
            if not (HERE / file).is_file():
                yield f"{name}: there is no {file}"
        for file in set(one["transcripts"].values()):
            path = HERE / file
            if path.is_file() and not path.read_text().rstrip().splitlines()[-1].startswith("BROKEN: "):
                yield f"{name}: {file} shows no deviation"
    for path in [*HERE.glob("proofs/*.py"), *HERE.glob("proofs/transcripts/*.txt")]:
        file = str(path.relative_to(HERE))
        if file not in used and path.name != "raw.py":
            yield f"{file} proves nothing: no deviation names it"


def versions_of(name, server):
    if "versions" not in server:
        return []
    told = subprocess.run(["sh", "-c", server["versions"]], cwd=HERE / name, capture_output=True, text=True, check=False)
    return told.stdout.split("\n")[:-1]


def quoted(text):
    return f'"{text}"'


def link(text, file):
    return f"[{text}](../tests/servers/{file})"


def proof(one):
    shown = {}
    for server, file in one["transcripts"].items():
        shown.setdefault(file, []).append(server)
    told = ", ".join(link(names[0] if len(shown) > 1 else "transcript", file) for file, names in shown.items())
    return f"{link('script', one['script'])}; {told}"


def page(deviations):
    known, rules, played = servers(), clauses(), read(HERE / "played.yaml")
    lines = (HERE / "deviations.md.in").read_text().rstrip().replace("DATE", str(played["date"])).split("\n")
    table = ["| server | | heartbeats | serious | moderate | minor | versions |", "|---|---|---|---|---|---|---|"]
    for name, server in known.items():
        if "start" not in server:
            table.append(f"| {name} | {server['about']} | | | | | not run: {server['not_run']} |")
            continue
        counts = [sum(name in one["servers"] and one["severity"] == severity for one in deviations) for severity in SEVERITIES]
        beats = server["heartbeats"]
        told = ", ".join(played["versions"].get(name, []))
        table.append(
            f"| {name} | {server['about']} | {beats['interval']}, {beats['timeout']} | "
            + " | ".join(map(str, counts))
            + f" | {told} |"
        )
    at = lines.index("SERVERS")
    lines[at : at + 1] = table
    for severity, meaning in SEVERITIES.items():
        lines += ["", f"## {severity.title()}", "", meaning, ""]
        lines += ["| clause | what the server does | what the source says | servers | proof |", "|---|---|---|---|---|"]
        for one in sorted(deviations, key=lambda one: (LEVELS.index(rules[one["rule"]]["level"]), one["rule"])):
            if one["severity"] == severity:
                cell = one["broken"].replace("|", "\\|").replace("<", "&lt;")
                lines.append(
                    f"| {one['rule']} ({rules[one['rule']]['level']}) | {one['instead']} | {cell} | {', '.join(one['servers'])} | {proof(one)} |"
                )
    return "\n".join(lines) + "\n"


def main(verb):
    if verb == "versions":
        told = {name: versions_of(name, server) for name, server in servers().items() if "start" in server}
        for name, lines in told.items():
            print(f"  {name}: [{', '.join(map(quoted, lines))}]")
        return 0
    deviations = read(HERE / "deviations.yaml")
    wrong = list(faults(deviations))
    if verb == "page" and not wrong:
        PAGE.write_text(page(deviations))
    elif verb == "check" and not wrong and PAGE.read_text() != page(deviations):
        wrong.append("docs/deviations.md is not what `tests/servers/deviations.py page` writes")
    print("\n".join(wrong) or f"{len(deviations)} deviations, each with a script and transcripts")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] in (["check"], ["page"], ["versions"]) else sys.exit(__doc__)))
