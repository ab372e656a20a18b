"""What a command of the harness may fail with; told in one line, without a traceback.

HarnessError
├── StackError    a part of the local stack could not start, or died
├── NoStackError  a command needs the local stack and there is none
├── GatewayError  the gateway answered otherwise than it should
└── DemoError     the demo found something that is not as it should be
"""


class HarnessError(Exception):
    """Something that the person at the command line can act on."""


class StackError(HarnessError):
    pass


class NoStackError(HarnessError):
    pass


class GatewayError(HarnessError):
    pass


class DemoError(HarnessError):
    pass
