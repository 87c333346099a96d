#!/usr/bin/env python3
"""Runs every ```sh block of README.md as it stands, in order, in one shell.

usage: readme_test.py README.md AVOCET-PROGRAM

The shell has namespaces of its own: its ports, /tmp, home and processes are private, and end with it. Where the kernel
allows none, the test is skipped (exit 77). A block below a line <!-- not run by ... --> is left out. What is changed in the
blocks, and nothing else: where the program and the engines are, and the objectives of deploy/examples, since a test must
not depend on how fast a busy machine is.

Of a line, the exit status must be 0; 3, too, where its comment says "exit 3". A line whose comment says "ctrl-c ends it"
gets its ctrl-c after three seconds.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
DEADLINE_S = 280
NOT_RUN = "<!-- not run by tests/cli/e2e/readme_test.py:"


def blocks(text):
    """The lines of each block that is run, and of none the reason."""
    inside, found, above = None, [], ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside is None and line == "```sh":
            inside = []
        elif inside is not None and line == "```":
            if not above.startswith(NOT_RUN):
                found.append(inside)
            inside = None
        elif inside is not None:
            inside.append((number, line))
        if inside is None and line.strip() and line != "```":
            above = line
    return found


def script(lines):
    """Runs one line after the other and stops at the first that fails, naming it."""
    out = ["set -m # as in a terminal: each job is a process group, and %1 names it"]
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        command = line
        if "ctrl-c ends it" in line:
            command = "timeout --preserve-status -s INT 3 " + line
        allowed = "0|3" if "exit 3" in line else "0"
        out.append(f"echo {shlex.quote(f'README.md:{number}: {line}')}")
        out.append(command)
        out.append(f"status=$?; case $status in {allowed}) ;; *) "
                   f"echo \"FAILED README.md:{number} with exit status $status\"; exit 1 ;; esac")
    return "\n".join(out) + "\n"


def relaxed_examples(source, target):
    shutil.copytree(source, target)
    for file in target.glob("app-*.toml"):
        file.write_text(re.sub(r"latency_ms = [0-9.]+", "latency_ms = 5000.0", file.read_text()))


def main():
    readme, program = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    found = blocks(readme.read_text())
    lines = [line for block in found for line in block]
    if len(found) < 5:
        sys.exit(f"only {len(found)} blocks are run; is README.md read rightly?")

    unshare = ["unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run(unshare + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no namespaces of its own are allowed here")
        sys.exit(SKIPPED)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "tmp/home").mkdir(parents=True)
        relaxed_examples(readme.parent / "deploy/examples", folder / "examples")
        shutil.copy2(program, folder / "tmp/avocet-program") # where it is may be out of sight, too
        text = script(lines).replace("build/release/avocet", "/tmp/avocet-program")
        text = text.replace("/opt/avocet/", os.environ.get("AVOCET_PREFIX", "/opt/avocet") + "/")
        (folder / "blocks.sh").write_text(text)
        # The script is read from a descriptor: its folder goes out of sight with /tmp.
        prepare = f"""
            ip link set lo up
            mount --bind {folder}/examples deploy/examples
            mount --bind {folder}/tmp /tmp
            exec timeout {DEADLINE_S} bash /dev/fd/3
        """
        environment = {**os.environ, "HOME": "/tmp/home", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "",
                       "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        with open(folder / "output", "w+", errors="replace") as output, open(folder / "blocks.sh") as blocks_file:
            # Descriptor 3 is the script's. The output goes to a file, as programs in the background keep a pipe open.
            run = subprocess.run(unshare + ["bash", "-ec", prepare], cwd=readme.parent, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                 preexec_fn=lambda: os.dup2(blocks_file.fileno(), 3), close_fds=False,
                                 start_new_session=True)
            output.seek(0)
            said = output.read()
    if run.returncode != 0:
        sys.exit(said[-12000:] + ("\nit took too long" if run.returncode == 124 else ""))
    print(f"{len(found)} blocks, {len(lines)} lines")


main()
