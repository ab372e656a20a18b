"""What never reaches the API: known attacks, and one address that asks too often."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.api.swagger import NAMES_SAM_STAGE, error_body
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
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
}
OPEN: Final = ("health", "ready", "startup")
"""Asked without a key, so by anybody."""
OPEN_LIMIT: Final = 300
SHARE: Final = 4
"""No address gets more than one part of so many of what the whole API takes."""
_AUTHORIZATION: Final = "authorization"
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
            for place, (name, counted) in enumerate(COUNTED_ONLY.items(), start=2)
        ]
        return waf.CfnWebACL(
            self,
            "Acl",
            name=names.prefixed(self._stage, "api"),
            description="Guards the API",
            scope="REGIONAL",
            default_action=_Acl.DefaultActionProperty(allow={}),
            # CloudWatch tells firewalls of one account apart by this alone.
            visibility_config=_visible(names.prefixed(self._stage, "api")),
            data_protection_config=_without_prompts_and_keys(),
            custom_response_bodies={
                _TOO_OFTEN: _Acl.CustomResponseBodyProperty(
                    content=json.dumps(error_body(self._throttled, None)),
                    content_type="APPLICATION_JSON",
                )
            },
            rules=[*self._build_rate_limits(), *groups],
        )

    def _build_rate_limits(self) -> Iterator[waf.CfnWebACL.RuleProperty]:
        share = self._stage.throttle.rate * WINDOW_S // SHARE
        yield self._build_rate_limit(0, "RatePerAddress", share)
        yield self._build_rate_limit(1, "OpenRatePerAddress", OPEN_LIMIT, within=self._open())

    def _open(self) -> waf.CfnWebACL.StatementProperty:
        """Under API Gateway's own name paths begin with the stage's, under ours they don't."""
        return _Acl.StatementProperty(
            regex_match_statement=_Acl.RegexMatchStatementProperty(
                field_to_match=_Acl.FieldToMatchProperty(uri_path={}),
                regex_string=f"^(/{self._stage.name})?/+({'|'.join(OPEN)})/*$",
                text_transformations=[
                    _Acl.TextTransformationProperty(priority=0, type="URL_DECODE")
                ],
            )
        )

    def _build_rate_limit(
        self,
        priority: int,
        name: str,
        limit: int,
        *,
        within: waf.CfnWebACL.StatementProperty | None = None,
    ) -> waf.CfnWebACL.RuleProperty:
        refuse = _Acl.CustomResponseProperty(
            response_code=self._throttled["status"],
            custom_response_body_key=_TOO_OFTEN,
            response_headers=[_Acl.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
        )
        return _Acl.RuleProperty(
            name=name,
            priority=priority,
            action=_Acl.RuleActionProperty(block=_Acl.BlockActionProperty(custom_response=refuse)),
            statement=_Acl.StatementProperty(
                rate_based_statement=_Acl.RateBasedStatementProperty(
                    aggregate_key_type="IP",
                    evaluation_window_sec=WINDOW_S,
                    limit=limit,
                    scope_down_statement=within,
                )
            ),
            visibility_config=_visible(name),
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
                    single_header={"Name": _AUTHORIZATION}
                )
            ],
        )


def _without_prompts_and_keys() -> waf.CfnWebACL.DataProtectionConfigProperty:
    """A counted rule would log the piece of a prompt that it matched."""
    fields = (
        _Acl.FieldToProtectProperty(field_type="BODY"),
        _Acl.FieldToProtectProperty(field_type="SINGLE_HEADER", field_keys=[_AUTHORIZATION]),
    )
    return _Acl.DataProtectionConfigProperty(
        data_protections=[
            _Acl.DataProtectProperty(
                action="SUBSTITUTION",
                field=field,
                exclude_rule_match_details=False,
                exclude_rate_based_details=False,
            )
            for field in fields
        ]
    )


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return _Acl.VisibilityConfigProperty(
        metric_name=metric, cloud_watch_metrics_enabled=True, sampled_requests_enabled=False
    )
