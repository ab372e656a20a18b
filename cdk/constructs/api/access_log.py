"""Who called what, when, and with which outcome; never what was asked or answered."""

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.log_groups import log_group
from cdk.stages import Stage

LINE: Final[Mapping[str, str]] = {
    "time": "$context.requestTimeEpoch",
    "request_id": "$context.requestId",
    "extended_request_id": "$context.extendedRequestId",
    # API Gateway can't log a header, so not the correlation id of a caller's: this is on Lambda's
    # START and REPORT lines around those that have it.
    "function_request_id": "$context.integration.requestId",
    "trace_id": "$context.xrayTraceId",
    "key_id": "$context.authorizer.key_id",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "request_bytes": "$context.requestLength",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integrationStatus",
    "authorizer_latency_ms": "$context.authorizer.latency",
    "firewall": "$context.wafResponseCode",
    "address": "$context.identity.sourceIp",
    "user_agent": "$context.identity.userAgent",
    "tls": "$context.tlsVersion",
}
FORMAT: Final = json.dumps(LINE)


class AccessLog(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        name = f"/{names.PREFIX}/{stage.name}/api-access"
        self.group = log_group(self, "Group", stage, name)
        self.account = self._build_account()

    def _build_account(self) -> apigateway.CfnAccount:
        """One setting for all APIs of the account in the region: it outlives this stage."""
        policy = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        role = iam.Role(
            self,
            "Role",
            description="API Gateway writes logs, for all APIs of the account",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy)],
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        arn = f"arn:<AWS::Partition>:iam::aws:policy/{policy}"
        acknowledge(
            role,
            {
                f"AwsSolutions::AwsSolutions-IAM4[Policy::{arn}]": (
                    "API Gateway accepts only a role with the rights of this policy, which AWS "
                    "made for it; it can write logs and nothing else."
                )
            },
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        return account
