class JobError(Exception):
    def __init__(self, name, code):
        super().__init__(name, code)
        self.code = code
