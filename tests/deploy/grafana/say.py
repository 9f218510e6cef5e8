#!/usr/bin/env python3
"""Prints what each tile of a board says against a running Prometheus, or after scraping given addresses.
usage: say.py BOARD.json (--prometheus URL | --targets path=host:port,… --readiness host:port [--after SECONDS])"""

import argparse
import json
import time

import prometheus
import tiles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("board")
    parser.add_argument("--prometheus")
    parser.add_argument("--targets", default="")
    parser.add_argument("--readiness")
    parser.add_argument("--after", type=float, default=15)
    arguments = parser.parse_args()
    server = None
    try:
        if arguments.prometheus:
            api = prometheus.Api(arguments.prometheus)
        else:
            server = prometheus.Prometheus(dict(entry.split("=", 1) for entry in arguments.targets.split(",") if entry),
                                           arguments.readiness)
            server.wait_ready(time.monotonic() + 30)
            time.sleep(arguments.after)
            api = server.api
        with open(arguments.board) as file:
            board = tiles.Board(json.load(file), api, time.time())
        for title, texts in board.everything().items():
            print(f"{title}")
            for text in texts:
                print(f"    {text}")
    finally:
        if server:
            server.stop()


if __name__ == "__main__":
    main()
