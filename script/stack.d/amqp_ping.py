#!/usr/bin/env python3
"""amqp_ping.py PORT USER PASSWORD: exits 0 if RabbitMQ logs the user in and its virtual host "/" is up."""

import socket
import struct
import sys

START, START_OK, TUNE, TUNE_OK, OPEN, OPEN_OK, CLOSE, CLOSE_OK = 10, 11, 30, 31, 40, 41, 50, 51
CONNECTION = 10
METHOD_FRAME, FRAME_END = 1, b"\xce"


def receive(stream, method):
    kind, _, size = struct.unpack(">BHI", stream.read(7))
    payload = stream.read(size + 1)
    got = struct.unpack(">HH", payload[:4])
    if kind != METHOD_FRAME or got != (CONNECTION, method):
        sys.exit(f"expected connection method {method}, got {got}: {payload[4:-1]!r}")
    return payload[4:-1]


def send(stream, method, arguments):
    payload = struct.pack(">HH", CONNECTION, method) + arguments
    stream.write(struct.pack(">BHI", METHOD_FRAME, 0, len(payload)) + payload + FRAME_END)
    stream.flush()


def short(text):
    return struct.pack(">B", len(text)) + text


def long(text):
    return struct.pack(">I", len(text)) + text


def main(port, user, password):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=3) as connection:
        stream = connection.makefile("rwb")
        stream.write(b"AMQP\x00\x00\x09\x01")
        stream.flush()
        receive(stream, START)
        response = b"\0" + user.encode() + b"\0" + password.encode()
        send(stream, START_OK, long(b"") + short(b"PLAIN") + long(response) + short(b"en_US"))
        limits = receive(stream, TUNE)
        send(stream, TUNE_OK, limits[:6] + b"\0\0")
        send(stream, OPEN, short(b"/") + short(b"") + b"\0")
        receive(stream, OPEN_OK)
        send(stream, CLOSE, struct.pack(">H", 200) + short(b"") + struct.pack(">HH", 0, 0))
        receive(stream, CLOSE_OK)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, struct.error) as error:
        sys.exit(f"{error}")
