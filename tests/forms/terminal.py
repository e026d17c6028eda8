#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# terminal.py MTASIM: step and run as people meet them, in a terminal (a pty).
# Keys of step: next, next of a kind, back, quit, Ctrl-C, Ctrl-D, a hang-up and
# a signal; whatever ends it, the terminal is as it was. run ends with a table
# and sparklines there, and shows how far it is while it runs.

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = "[n]ext, next of this [k]ind, [b]ack, [q]uit "
PATIENCE = 60  # seconds until a test gives up waiting

passed = 0
failed = 0


def check(what, truth, shown=""):
    global passed, failed
    if truth:
        passed += 1
    else:
        failed += 1
        print(f"terminal: {what}\n{str(shown)[-2000:]}")


class Terminal:
    """A program in a terminal of its own; a shell's part of it is kept open,
    so that its modes can be read when the program is gone."""

    def __init__(self, *arguments, columns=100, **environment):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        variables = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        variables.pop("NO_COLOR", None)
        variables.update(environment)
        self.text = ""
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, env=variables, start_new_session=True,
            preexec_fn=Terminal.enter)

    @staticmethod
    def enter():
        """In the child: this terminal is its own, and nohup is not at work."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def take(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        return bool(ready)

    def until(self, words):
        """What was shown up to the words; they are used up."""
        end = time.monotonic() + PATIENCE
        while words not in self.text and time.monotonic() < end:
            if not self.take(0.2) and self.process.poll() is not None:
                break
        shown, found, rest = self.text.partition(words)
        self.text = rest
        return shown if found else None

    def press(self, keys):
        os.write(self.master, keys.encode())
        shown = self.until(PROMPT)
        return None if shown is None else Terminal.event(shown)

    @staticmethod
    def event(shown):
        """The event's first line, without the wiped prompt before it."""
        for line in shown.replace("\r", "\n").split("\n"):
            if re.match(r"[0-9.]+ [a-z]+ ", line):
                return line
        return ""

    def end(self):
        """The exit code, all that was shown, and whether the modes are as they
        were. None: it had to be killed."""
        limit = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < limit:
            self.take(0.1)
        code = self.process.poll()
        if code is None:
            self.process.kill()
            self.process.wait()
        while self.take(0.1):
            pass
        same = termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return code, self.text, same


def scenario(name):
    return os.path.join(HERE, name)


def listed(*arguments):
    """First lines of all events, as the piped form prints them."""
    out = subprocess.run([PROGRAM, "step", *arguments], check=True,
                         capture_output=True, text=True).stdout
    return [line for line in out.split("\n") if re.match("[0-9]", line)]


def is_same(line, wanted):
    return line is not None and line.rstrip() == wanted


def test_keys():
    arguments = (scenario("lines.yaml"), "--to", "20s")
    events = listed(*arguments)
    t = Terminal("step", *arguments)
    first = t.until(PROMPT)
    check("the first event is shown", first is not None and
          is_same(Terminal.event(first), events[0]), first)
    for n, key in ((1, "n"), (2, " "), (3, "\n"), (4, "n")):
        line = t.press(key)
        check(f"key {key!r} shows event {n}", is_same(line, events[n]), line)
    line = t.press("x")
    check("another key shows nothing", line == "", line)
    # Event 4 is the beginning of a run over a queue; the next such one.
    kind = [n for n, e in enumerate(events)
            if re.search("(begins|ends) a run", e) and n > 4][0]
    line = t.press("k")
    check("next of a kind", is_same(line, events[kind]), line)
    line = t.press("b")
    check("back is the event before", is_same(line, events[kind - 1]), line)
    line = t.press("b")
    check("and back again", is_same(line, events[kind - 2]), line)
    line = t.press("n")
    check("and on", is_same(line, events[kind - 1]), line)
    for _ in range(kind + 3):
        line = t.press("b")
    check("not before the first", is_same(line, events[0]), line)
    os.write(t.master, b"q")
    code, _, same = t.end()
    check(f"quit: exit 0, not {code}", code == 0)
    check("quit: the terminal is as before", same)


def test_end():
    arguments = (scenario("lines.yaml"), "--to", "20s", "--mail", "0")
    events = listed(*arguments)
    t = Terminal("step", *arguments)
    t.until(PROMPT)
    for n in range(1, len(events)):
        line = t.press("n")
        check(f"event {n} of a mail", is_same(line, events[n]), line)
    os.write(t.master, b"n")
    code, _, same = t.end()
    check(f"behind the last event: exit 0, not {code}", code == 0)
    check("behind the last event: the terminal is as before", same)


def test_ways_out():
    ways = (
        ("Ctrl-C", lambda t: os.write(t.master, b"\x03"), 130),
        ("Ctrl-D", lambda t: os.write(t.master, b"\x04"), 0),
        ("SIGTERM", lambda t: t.process.send_signal(signal.SIGTERM), 143),
        ("SIGINT", lambda t: t.process.send_signal(signal.SIGINT), 130),
        ("SIGHUP", lambda t: t.process.send_signal(signal.SIGHUP), 129),
    )
    for name, act, wanted in ways:
        t = Terminal("step", scenario("lines.yaml"))
        t.until(PROMPT)
        act(t)
        code, _, same = t.end()
        check(f"{name}: exit {wanted}, not {code}", code == wanted)
        check(f"{name}: the terminal is as before", same)


def test_hang_up():
    t = Terminal("step", scenario("lines.yaml"))
    t.until(PROMPT)
    os.close(t.slave)
    os.close(t.master)
    try:
        code = t.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        t.process.kill()
        code = None
    check(f"it ends when its terminal goes, with {code}", code is not None)


def test_run(scratch):
    # The bar is not shown in the first second; the run, far too long for
    # any machine, is stopped by Ctrl-C and says what it has.
    # A faster machine comes to greater numbers: there is room for them.
    t = Terminal("run", scenario("busy.yaml"), "--out",
                 os.path.join(scratch, "busy"), columns=120)
    seen = t.until(" %  ") or ""
    seen += " %  " + (t.until(" %  ") or "")
    os.write(t.master, b"\x03")
    code, shown, same = t.end()
    shown = seen + shown
    check(f"Ctrl-C ends a run: exit 130, not {code}", code == 130, shown)
    check("a run: the terminal is as before", same)
    lines = re.split("[\r\n]+", shown)
    bars = [line for line in lines if re.search(r"\[=*>? *\] +\d+ %", line)]
    check("the progress line: bar, time, speed, queues", any(
        re.search(r"\] +\d+ %  (\d+d )?\d+:\d\d:\d\d of 1000d 0:00:00  \d+x  "
                  r"incoming \d+  active \d+  deferred \d+", line)
        for line in bars), bars[:2])
    check("it has no more columns than the terminal", all(
        len(re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", line)) <= 120
        for line in bars), bars[:2])
    for queue in ("active", "deferred"):
        check(f"a sparkline of {queue}", re.search(
            f"  {queue} +[\u2581-\u2588]+", shown), shown)
    check("a table of totals and delays", "recipients " in shown and
          "delay in seconds" in shown, shown)


def test_plain_run(scratch):
    t = Terminal("run", scenario("lines.yaml"), "--out",
                 os.path.join(scratch, "ascii"), LC_ALL="C", NO_COLOR="1")
    code, shown, _ = t.end()
    check(f"a run where only ASCII is shown: exit 0, not {code}", code == 0)
    check("ASCII alone", shown.isascii() and "\x1b" not in shown, shown)


with tempfile.TemporaryDirectory() as folder:
    test_keys()
    test_end()
    test_ways_out()
    test_hang_up()
    test_run(folder)
    test_plain_run(folder)
print(f"terminal: {passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
