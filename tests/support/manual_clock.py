"""A clock that a test moves; sleeping takes no time and moves it on."""


class ManualClock:
    def __init__(self, now=0.0):
        self.now = now

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
