"""A client that is not ours, as a guest of the house; as guest.mjs beside it."""

import atexit
import json
import pathlib
import sys
import tempfile
from contextlib import contextmanager

house = json.loads(sys.stdin.readline())


def visit(url):
    """Somebody takes a browser there; gives the URL where it ended."""
    print("visit", url, flush=True)
    return json.loads(sys.stdin.readline())


@contextmanager
def step(words, *features):
    """One thing that works, and the features that it shows."""
    yield
    print("step", words, flush=True)
    for feature in features:
        print("works", feature, flush=True)


def certificate_of(client):
    """The files of a client's certificate, as requests wants them; gone when the program is."""
    folder = tempfile.TemporaryDirectory()
    paths = []
    for name in ("certificate", "key"):
        paths.append(pathlib.Path(folder.name, name))
        paths[-1].write_text(client[name])
    atexit.register(folder.cleanup)
    return tuple(map(str, paths))


def same(actual, expected, what):
    """Fails unless both are the same."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def done():
    print("done", flush=True)
