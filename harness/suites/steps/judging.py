"""A step that asks the judge about a right and a wrong answer."""

from harness.judge.scoring import PROFILES, Case, Scored, score_one
from harness.suites.step import Step, checked
from harness.suites.visit import Visit
from harness.verdict import Finding


class Judges(Step, frozen=True, kw_only=True, tag="judges"):
    question: str
    right: str
    wrong: str
    profile: str = PROFILES[0]

    async def run(self, visit: Visit) -> list[Finding]:
        return [
            await self._judged(visit, "right", self.right, passes=True),
            await self._judged(visit, "wrong", self.wrong, passes=False),
        ]

    async def _judged(self, visit: Visit, which: str, answer: str, *, passes: bool) -> Finding:
        case = Case(case_id=which, question=self.question, answer=answer)
        outcome = await score_one(visit.gateway, visit.stage, case, self.profile)
        name, what = f"{self.name}: a {which} answer", f"{answer!r} to {self.question!r}"
        if not isinstance(outcome, Scored):
            return checked(name, [f"{outcome.code}: {outcome.message}"], "")
        said = f"{what} {'passes' if outcome.passed else 'fails'}: {outcome.reasoning}"
        return checked(name, [] if outcome.passed is passes else [said], said)
