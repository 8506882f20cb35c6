"""A clock that a test moves; sleeping takes no time and moves it on."""


class ManualClock:
    def __init__(self, now=0.0) -> None:
        self.now = now

    def monotonic(self):
        return self.now

    def sleep(self, seconds) -> None:
        self.now += seconds
