"""A client that is not ours, as a guest of the house; as guest.mjs beside it."""

import json
import sys
from contextlib import contextmanager

house = json.loads(sys.stdin.readline())


def visit(url):
    """Somebody takes a browser there; gives the URL where it ended."""
    print("visit", url, flush=True)
    return json.loads(sys.stdin.readline())


@contextmanager
def step(words):
    """One thing that works."""
    yield
    print("step", words, flush=True)


def same(actual, expected, what):
    """Fails unless both are the same."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def done():
    print("done", flush=True)
