"""What can go wrong in the fleet.

FleetError
├── ConfigError    engines.toml or instances.toml is wrong; says file, key and what is allowed
├── SetupError     what was asked for isn't there (an engine name, an environment, models)
└── EngineFailed   an engine died or never became healthy; says where its log is
"""


class FleetError(Exception):
    """One line for the user; `__main__` prints it and maps it to an exit code."""


class ConfigError(FleetError):
    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f"{source}: {key}: {reason}")
        self.source = source
        self.key = key
        self.reason = reason


class SetupError(FleetError):
    pass


class EngineFailed(FleetError):  # noqa: N818  (what happened, not a kind of error)
    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"engine {engine} {reason}")
        self.engine = engine
