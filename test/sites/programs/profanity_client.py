"""Types into profanity as a person would, on a terminal of its own.

usage: profanity_client.py ADDRESS HOST PORT TO TEXT
The password is the environment variable PASSWORD; HOME is a folder that profanity may write to. Ends with status 0 when the text it waits for, the answer
`re: TEXT`, is on the screen.
"""

import os
import pty
import re
import select
import sys
import time

PATIENCE = 30


def main():
    address, host, port, to, text = sys.argv[1:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LINES="40", COLUMNS="160")
        os.execvp("profanity", ["profanity"])
    screen = ""
    deadline = time.monotonic() + PATIENCE

    def until(pattern):
        nonlocal screen
        while not re.search(pattern, screen):
            if time.monotonic() > deadline:
                plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", screen)
                print(f"not seen: {pattern}\n{plain[-3000:]}", flush=True)
                os.kill(pid, 9)
                sys.exit(1)
            ready, _, _ = select.select([terminal], [], [], 0.2)
            if ready:
                screen += os.read(terminal, 65536).decode("utf8", "replace")

    def type_line(line):
        nonlocal screen
        screen = ""
        os.write(terminal, line.encode() + b"\r")

    until("Profanity")
    type_line(f"/connect {address} server {host} port {port} tls trust")
    until("(?i)password")
    type_line(os.environ["PASSWORD"])
    until("(?i)logged in successfully")
    type_line(f"/msg {to} {text}")
    until(re.escape(f"re: {text}"))
    print(f"seen: re: {text}", flush=True)
    type_line("/quit")
    os.waitpid(pid, 0)


main()
