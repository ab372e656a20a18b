from pathlib import Path

from gpu_fleet.engine_process import log_excerpt


def test_the_first_causes_are_told_once_each_and_without_the_loggers_prefix(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text(
        "WARNING 11-23 [system.py:255] This can cause errors like `OSError: [Errno 24]`\n"
        'ERROR 11-23 [executor.py:1063]   File "x.py", line 1\n'
        "ERROR 11-23 [executor.py:1063] AttributeError: no such kernel\n"
        "ERROR 11-23 [executor.py:1063] AttributeError: no such kernel\n"
        "ERROR 11-23 [core.py:1512] EngineCore encountered a fatal error.\n"
        "ERROR 11-23 [core.py:906] vllm.exceptions.EngineDeadError: see above\n"
    )
    assert log_excerpt(log) == [
        "AttributeError: no such kernel",
        "vllm.exceptions.EngineDeadError: see above",
    ]


def test_a_refused_argument_is_a_cause(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("usage: api_server.py\napi_server.py: error: unrecognized arguments: --x\n")
    assert log_excerpt(log) == ["api_server.py: error: unrecognized arguments: --x"]


def test_without_a_cause_the_last_lines_are_told(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("".join(f"line {number}\n\n" for number in range(9)))
    assert log_excerpt(log) == [f"line {number}" for number in range(4, 9)]


def test_a_log_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert log_excerpt(tmp_path / "none.log") == []
