"""The interrupt: whoever looks for it after it was asked for gets it as an exception, once."""

interrupted = False


class InterruptProcessingException(Exception):
    pass


def throw_exception_if_processing_interrupted() -> None:
    global interrupted
    if interrupted:
        interrupted = False
        raise InterruptProcessingException
