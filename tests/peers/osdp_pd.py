#!/usr/bin/env python3
"""An OSDP reader: PyPI libosdp's peripheral device on a serial path.

Orders come on standard input, a line each: `tap BITS HEX`, `quit`. What the reader is told to do, and when its
secure channel comes up or goes down, goes to standard output as JSON, a line each.
"""

import argparse
import json
import os
import queue
import select
import sys
import termios
import threading
import time

import osdp


class Line(osdp.Channel):
    """A raw terminal, non-blocking."""

    def __init__(self, path):
        super().__init__()
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        mode = termios.tcgetattr(self.fd)
        mode[0] = mode[1] = mode[3] = 0
        mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
        mode[4] = mode[5] = termios.B115200
        termios.tcsetattr(self.fd, termios.TCSANOW, mode)

    def read(self, max_bytes):
        try:
            return os.read(self.fd, max_bytes)
        except BlockingIOError:
            return b""

    def write(self, buf):
        return os.write(self.fd, buf)

    def flush(self):
        pass


def say(**what):
    print(json.dumps(what), flush=True)


def on_command(command):
    kinds = {osdp.Command.LED: "led", osdp.Command.Buzzer: "buzzer", osdp.Command.Output: "output"}
    if command["command"] in kinds:
        numbers = {name: value for name, value in command.items() if isinstance(value, (int, bool))}
        say(kind=kinds[command["command"]], **numbers)
    return 0, None


def listen(orders):
    for line in sys.stdin:
        orders.put(line.split())
    orders.put(["quit"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--address", type=int, default=0)
    parser.add_argument("--key", help="secure channel base key, hexadecimal")
    arguments = parser.parse_args()

    line = Line(arguments.path)
    info = osdp.PDInfo(
        arguments.address,
        line,
        scbk=bytes.fromhex(arguments.key) if arguments.key else None,
        flags=[osdp.LibFlag.EnforceSecure] if arguments.key else [osdp.LibFlag.InstallMode],
    )
    abilities = osdp.PDCapabilities(
        [
            (osdp.Capability.OutputControl, 1, 2),
            (osdp.Capability.ContactStatusMonitoring, 1, 2),
            (osdp.Capability.LEDControl, 1, 1),
            (osdp.Capability.AudibleControl, 1, 1),
            (osdp.Capability.CardDataFormat, 1, 0),
            (osdp.Capability.CheckCharacter, 1, 0),
            (osdp.Capability.CommunicationSecurity, 1, 0),
        ]
    )
    reader = osdp.PeripheralDevice(info, abilities, osdp.LogLevel.Emergency, on_command)
    orders = queue.Queue()
    threading.Thread(target=listen, args=(orders,), daemon=True).start()
    say(kind="ready")
    secure = False
    while True:
        reader.ctx.refresh()
        if reader.ctx.is_sc_active() != secure:
            secure = not secure
            say(kind="secure", active=secure)
        try:
            order = orders.get_nowait()
        except queue.Empty:
            select.select([line.fd], [], [], 0.001)
            time.sleep(0)
            continue
        if order[:1] == ["quit"]:
            return
        if order[:1] == ["tap"]:
            reader.ctx.submit_event(
                {
                    "event": osdp.Event.CardRead,
                    "reader_no": 0,
                    "direction": 0,
                    "format": osdp.CardFormat.Wiegand,
                    "length": int(order[1]),
                    "data": bytes.fromhex(order[2]),
                }
            )


if __name__ == "__main__":
    main()
