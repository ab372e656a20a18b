"""What never reaches the API: known attacks, and one address that asks too often."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.gateway_swagger import NAMES_SAM_STAGE, error_body
from cdk.constructs.log_groups import log_group
from cdk.stages import Stage

_Acl = waf.CfnWebACL
WINDOW_S: Final = 300
COUNTED_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    # AWS' managed rules, and which of them count instead of block. Bodies here are prompts: longer
    # than 8 KB, and about anything, markup and addresses of machines too.
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": ("JavaDeserializationRCE_BODY", "Log4JRCE_BODY"),
}
_TOO_OFTEN: Final = "too_often"


class WebFirewall(Construct):
    """`throttled`: API Gateway's answer where it throttles; callers need not tell them apart."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, throttled: Mapping[str, Any]
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._throttled = throttled
        self.acl = self._build_acl()
        self._build_log()

    def protect(self, arn: str) -> None:
        association = waf.CfnWebACLAssociation(
            self, "Association", web_acl_arn=self.acl.attr_arn, resource_arn=arn
        )
        acknowledge(association, NAMES_SAM_STAGE)

    def _build_acl(self) -> waf.CfnWebACL:
        groups = [
            self._build_managed(place, name, counted)
            for place, (name, counted) in enumerate(COUNTED_ONLY.items(), start=1)
        ]
        return waf.CfnWebACL(
            self,
            "Acl",
            name=names.prefixed(self._stage, "api"),
            description="Guards the API",
            scope="REGIONAL",
            default_action=_Acl.DefaultActionProperty(allow={}),
            visibility_config=_visible("api"),
            custom_response_bodies={
                _TOO_OFTEN: _Acl.CustomResponseBodyProperty(
                    content=json.dumps(error_body(self._throttled, None)),
                    content_type="APPLICATION_JSON",
                )
            },
            rules=[self._build_rate_limit(), *groups],
        )

    def _build_rate_limit(self) -> waf.CfnWebACL.RuleProperty:
        """No address may have more than what the whole API takes."""
        refuse = _Acl.CustomResponseProperty(
            response_code=self._throttled["status"],
            custom_response_body_key=_TOO_OFTEN,
            response_headers=[_Acl.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
        )
        return _Acl.RuleProperty(
            name="RatePerAddress",
            priority=0,
            action=_Acl.RuleActionProperty(block=_Acl.BlockActionProperty(custom_response=refuse)),
            statement=_Acl.StatementProperty(
                rate_based_statement=_Acl.RateBasedStatementProperty(
                    aggregate_key_type="IP",
                    evaluation_window_sec=WINDOW_S,
                    limit=self._stage.throttle.rate * WINDOW_S,
                )
            ),
            visibility_config=_visible("RatePerAddress"),
        )

    def _build_managed(
        self, priority: int, name: str, counted: tuple[str, ...]
    ) -> waf.CfnWebACL.RuleProperty:
        count = _Acl.RuleActionProperty(count={})
        return _Acl.RuleProperty(
            name=name,
            priority=priority,
            override_action=_Acl.OverrideActionProperty(none={}),
            statement=_Acl.StatementProperty(
                managed_rule_group_statement=_Acl.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=name,
                    rule_action_overrides=[
                        _Acl.RuleActionOverrideProperty(name=rule, action_to_use=count)
                        for rule in counted
                    ],
                )
            ),
            visibility_config=_visible(name),
        )

    def _build_log(self) -> None:
        """Of what was refused or counted, without the key that was sent."""
        # WAF writes only to groups whose names begin like this.
        name = f"aws-waf-logs-{names.prefixed(self._stage, 'api')}"
        group = log_group(self, "Log", self._stage, name)
        actions = [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")]
        kept = {"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": actions}
        waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[group.log_group_arn],
            logging_filter={"DefaultBehavior": "DROP", "Filters": [kept]},
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(
                    single_header={"Name": "authorization"}
                )
            ],
        )


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return _Acl.VisibilityConfigProperty(
        metric_name=metric, cloud_watch_metrics_enabled=True, sampled_requests_enabled=False
    )
