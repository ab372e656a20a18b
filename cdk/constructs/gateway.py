"""The gateway: two functions of one Chalice app, behind a Regional REST API."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import Fn
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sam as sam
from constructs import Construct

from cdk import names
from cdk.assets import ROOT
from cdk.constructs.access_log import FORMAT, AccessLog
from cdk.constructs.gateway_app import GatewayApp, Template
from cdk.constructs.gateway_environment import authorizer_environment, handler_environment
from cdk.constructs.gateway_roles import (
    Stores,
    authorizer_rights,
    endpoint_arns,
    function_role,
    handler_rights,
)
from cdk.constructs.gateway_swagger import hardened
from cdk.constructs.log_groups import log_group
from cdk.constructs.vpc_attachment import VpcAttachment
from cdk.deployment import Deployment

REFUSALS: Final = ROOT / "api/gateway_responses.json"
# Chalice's names of what it makes.
_API: Final = "RestAPI"
_HANDLER: Final = "APIHandler"
_AUTHORIZER: Final = "KeysAuthorizer"
_AUTHORIZER_S: Final = 10
"""It asks two stores, each for at most two seconds, perhaps after a cold start."""


class Gateway(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        attachment: VpcAttachment,
        stores: Stores,
    ) -> None:
        super().__init__(scope, id_)
        self._stage = deployment.stage
        self._attachment = attachment
        self.api_name = names.prefixed(self._stage, "api")
        self.functions: Mapping[str, str] = {
            part: names.prefixed(self._stage, part) for part in ("gateway", "authorizer")
        }
        self._app = self._build_app()
        self._build_function(
            "gateway",
            resource=_HANDLER,
            shape=(1024, self._stage.integration_timeout_s),
            environment=handler_environment(deployment, stores),
            rights=handler_rights(stores, endpoint_arns(self, deployment)),
        )
        self._build_function(
            "authorizer",
            resource=_AUTHORIZER,
            shape=(512, _AUTHORIZER_S),
            environment=authorizer_environment(deployment, stores),
            rights=authorizer_rights(stores),
        )
        self.api = self._build_api()

    @property
    def stage_name(self) -> str:
        """API Gateway's stage; whoever names it waits until it is there."""
        return Fn.ref(f"{_API}.Stage")

    def _build_app(self) -> GatewayApp:
        return GatewayApp(
            self,
            "App",
            settings={
                "api_gateway_stage": self._stage.name,
                "api_gateway_endpoint_type": "REGIONAL",
                "lambda_architecture": "arm64",
                "autogen_policy": False,
                # Each function gets a role of its own; this only keeps Chalice from making one.
                "manage_iam_role": False,
                "iam_role_arn": "replaced",
            },
            functions=(_HANDLER, _AUTHORIZER),
            amend=self._amend,
        )

    def _amend(self, template: Template) -> Template:
        api = template["Resources"][_API]["Properties"]
        api["DefinitionBody"] = hardened(
            api["DefinitionBody"],
            name=self.api_name,
            timeout_s=self._stage.integration_timeout_s,
            refusals=json.loads(REFUSALS.read_text("utf-8")),
        )
        # Without a version SAM makes a second stage, "Stage": neither limited, logged nor guarded.
        api["OpenApiVersion"] = "2.0"
        return {**template, "Outputs": {}}

    def _build_function(
        self,
        part: str,
        *,
        resource: str,
        shape: tuple[int, int],
        environment: Mapping[str, str],
        rights: Sequence[iam.PolicyStatement],
    ) -> None:
        """`shape` is memory in MB and the longest run in seconds; CPU goes with memory."""
        name = self.functions[part]
        log = log_group(self, f"{part.title()}Log", self._stage, f"/aws/lambda/{name}")
        role = function_role(
            self,
            f"{part.title()}Role",
            function=name,
            log=log,
            attachment=self._attachment,
            rights=rights,
        )
        function = cast("sam.CfnFunction", self._app.get_resource(resource))
        function.function_name = name
        function.memory_size, function.timeout = shape
        function.role = role.role_arn
        function.environment = sam.CfnFunction.FunctionEnvironmentProperty(variables=environment)
        function.vpc_config = self._attachment.config
        function.add_property_override("LoggingConfig.LogGroup", log.log_group_name)

    def _build_api(self) -> sam.CfnApi:
        log = AccessLog(self, "AccessLog", stage=self._stage)
        api = cast("sam.CfnApi", self._app.get_resource(_API))
        api.name = self.api_name
        api.tracing_enabled = False  # spans go to the collector, by OpenTelemetry
        api.disable_execute_api_endpoint = self._stage.domain is not None
        api.access_log_setting = sam.CfnApi.AccessLogSettingProperty(
            destination_arn=log.group.log_group_arn, format=FORMAT
        )
        api.method_settings = [
            {
                "ResourcePath": "/*",
                "HttpMethod": "*",
                "ThrottlingRateLimit": self._stage.throttle.rate,
                "ThrottlingBurstLimit": self._stage.throttle.burst,
                "MetricsEnabled": True,
                "LoggingLevel": "OFF",  # an execution log would hold prompts and answers
                "DataTraceEnabled": False,
            }
        ]
        api.node.add_dependency(log.account)
        return api
