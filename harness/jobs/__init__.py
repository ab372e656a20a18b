"""One run by many processes: a plan, cut into shards, recorded apart, merged exactly.

    plan -> shards.json -> (run_shard …) -> shards/<n>.json -> merged summary

The same steps (`harness.jobs.steps`) run as Lambda functions under Step Functions
(`harness.lambda_handler`, `state_machine.json`) and as processes of one machine
(`harness.jobs.local`); a `Store` carries everything between them.
"""
