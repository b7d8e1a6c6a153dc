"""A worker for the tests of the protocol: it prints where it must not, fails, dies and sleeps on request."""

import os
import time

from benchmarks.protocol import serve


class TinyWorker:
    def add(self, *, left: int, right: int) -> int:
        print("noise from Python")
        os.system("echo noise from a child process")
        os.write(1, b"noise from below Python\n")
        return left + right

    def fail(self, *, message: str) -> None:
        raise ValueError(message)

    def die(self) -> None:
        os.write(2, b"last words\n")
        os._exit(3)

    def sleep(self, *, seconds: float) -> None:
        time.sleep(seconds)

    def hidden(self) -> None:
        raise AssertionError("not one of the methods served")


if __name__ == "__main__":
    serve(TinyWorker(), ("add", "fail", "die", "sleep", "absent"))
