import logging


class MemoryList(logging.Handler):
    records = []

    def emit(self, record):
        self.records.append(record)
