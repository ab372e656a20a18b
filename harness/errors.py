"""What a command of the harness may fail with; told in one line, without a traceback.

HarnessError          nothing was done, or not all: exit code 69
├── StackError        a part of the local stack could not start, or died
├── NoStackError      a command needs the local stack and there is none
├── GatewayError      the gateway could not be asked, or answered otherwise than it should
├── DemoError         the demo found something that is not as it should be: exit code 1
├── StoreError        a run can't be read or written: disk full, bucket missing, torn file
│   └── AbsentError       there is no such object
└── WrongInput        what was asked for makes no sense: exit code 64
    ├── PlanError         a load, arm or limit that can't be
    ├── PromptsetError    an unknown, changed or faulty promptset
    └── PolicyError       a gate's policy that can't be read

A verdict is not an error: PASS 0, FAIL 1, INCONCLUSIVE 2, INVALID 3 (`harness.verdict`).
"""


class HarnessError(Exception):
    """Something that the person at the command line can act on."""

    exit_code = 69  # EX_UNAVAILABLE of sysexits.h


class StackError(HarnessError):
    pass


class NoStackError(HarnessError):
    pass


class GatewayError(HarnessError):
    pass


class DemoError(HarnessError):
    exit_code = 1


class StoreError(HarnessError):
    pass


class AbsentError(StoreError):
    pass


class WrongInput(HarnessError):  # noqa: N818  # it is one
    exit_code = 64  # EX_USAGE


class PlanError(WrongInput):
    pass


class PromptsetError(WrongInput):
    pass


class PolicyError(WrongInput):
    pass
