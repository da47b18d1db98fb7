from decimal import Decimal
import threading


class Counter:
    def __init__(self, n):
        self.n = n
        self.lock = threading.Lock()

    def add(self, n):
        with self.lock:
            self.n += n

    def value(self):
        return self.n

    def decimal(self):
        return Decimal(self.n) / 4
