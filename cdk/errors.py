"""What stops a synth, each in one line.

CdkError
└── WrongInput    a stage, a file or a value is wrong; exit code 64

`gpu_fleet.errors.ConfigError` and `sagemaker_models.endpoints.EndpointsError` are told alike.
"""


class CdkError(Exception):
    pass


class WrongInput(CdkError):  # noqa: N818  (what it is)
    """Says file, key and what is allowed."""
