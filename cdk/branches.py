"""Which branch goes to which stage, for GitHub's workflows: `python3 -m cdk.branches …`.

    pushed --ref=refs/heads/develop             the stage that a push is deployed to, or nothing
    asked --ref=refs/heads/main --stage=prod    that stage, where it believes the branch
    versions --stage=prod                       the branches that its versions must be on

One line of output. Exit code 64 for a stage that isn't there or does not believe the branch. All of
it is in stages.toml; nothing has to be installed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from cdk.errors import CdkError, WrongInput
from cdk.stages import Stage, load_stage, load_stages
from gpu_fleet.errors import FleetError

WRONG_INPUT: Final = 64
RELEASED: Final = "main"
"""What is there may go to every stage, back to an earlier version."""
_HEADS: Final = "refs/heads/"


def pushed(stages: Mapping[str, Stage], ref: str) -> str:
    """Empty where a push to it deploys nothing."""
    return next(
        (name for name, one in stages.items() if ref == f"{_HEADS}{one.github.on_push}"), ""
    )


def asked(stage: Stage, ref: str) -> str:
    """Raises WrongInput where AWS would not believe workflows from there: a tag, another branch."""
    branches = stage.github.branches
    if ref not in {f"{_HEADS}{branch}" for branch in branches}:
        told = " or ".join(branches)
        raise WrongInput(f"stage: {stage.name} is deployed from {told}; this is {ref!r}")
    return stage.name


def versions(stage: Stage) -> str:
    return " ".join(dict.fromkeys([RELEASED, *stage.github.branches]))


def main(arguments: Sequence[str]) -> None:
    told = _parser().parse_args(arguments)
    try:
        match told.question:
            case "pushed":
                answer = pushed(load_stages(), told.ref)
            case "asked":
                answer = asked(load_stage(told.stage), told.ref)
            case _:
                answer = versions(load_stage(told.stage))
    except (CdkError, FleetError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  (the command line's edge)
        sys.exit(WRONG_INPUT)
    print(answer)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Which branch goes to which stage.")
    questions = parser.add_subparsers(dest="question", required=True)
    for question, options in {
        "pushed": ["--ref"],
        "asked": ["--ref", "--stage"],
        "versions": ["--stage"],
    }.items():
        of_question = questions.add_parser(question)
        for option in options:
            of_question.add_argument(option, required=True)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
