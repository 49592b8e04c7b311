"""Types into profanity as a person would, on a terminal of its own, and reads the screen.

usage: profanity_client.py STEP...

Steps, one after the other: `type=LINE` types a line, `password` types the password (the environment variable PASSWORD), `see=TEXT` waits until the text is on
the screen. HOME is a folder that profanity may write to. Each step that is done is
printed; the first that fails ends it with status 1 and the screen.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30
PAUSE = 0.4
ROWS, COLUMNS = 40, 200
# Cursor movements and colors stand for nothing or for a space.
CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])|[\x00-\x1f]")


class Terminal:
    def __init__(self):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            # The key names that profanity asks for are those of a plain terminal.
            os.environ.update(TERM="xterm", LANG="C.UTF-8")
            os.execvp("profanity", ["profanity"])
        self.columns = COLUMNS
        self.resize()
        self.output = ""

    def resize(self):
        """Whoever has another size draws everything, and not only what has changed."""
        self.columns = 2 * COLUMNS + 1 - self.columns
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, self.columns, 0, 0))

    def read(self, seconds):
        ready, _, _ = select.select([self.file], [], [], seconds)
        if ready:
            self.output += os.read(self.file, 65536).decode("utf8", "replace")
        return bool(ready)

    def screen(self):
        return " ".join(CONTROL.sub(" ", self.output).split())

    def see(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.screen():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not seen; the screen: {self.screen()[-1500:]}")
            if not self.read(0.5):
                self.resize()

    def type(self, line):
        # Nobody types as fast as profanity shows what it has begun; what comes before it has the roster, it forgets.
        time.sleep(PAUSE)
        self.output = ""
        for character in line:
            os.write(self.file, character.encode())
        os.write(self.file, b"\r")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def main():
    terminal = Terminal()
    try:
        terminal.see("Profanity")
        for step in sys.argv[1:]:
            kind, _, argument = step.partition("=")
            if kind == "type":
                terminal.type(argument)
            elif kind == "password":
                terminal.type(os.environ["PASSWORD"])
            elif kind == "see":
                terminal.see(argument)
            else:
                raise ValueError("no such step")
            print("done:", step, flush=True)
        terminal.type("/quit")
        # Until the other end of the terminal is closed: then profanity has said goodbye.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            terminal.read(0.2)
    except (TimeoutError, ValueError) as error:
        print("failed:", step, error, flush=True)
        sys.exit(1)
    except OSError:
        print("ended", flush=True)
    finally:
        terminal.end()


main()
