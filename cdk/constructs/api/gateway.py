"""The gateway: the functions of one Chalice app, most of it behind a Regional REST API."""

import json
from typing import Final, cast

from aws_cdk import Fn
from aws_cdk import aws_sam as sam
from constructs import Construct

from cdk import names
from cdk.assets import ROOT
from cdk.constructs.api.access_log import FORMAT, AccessLog
from cdk.constructs.api.app import GatewayApp, Template
from cdk.constructs.api.functions import Function, gateway_functions
from cdk.constructs.api.roles import Stores, function_role
from cdk.constructs.api.swagger import hardened
from cdk.constructs.api.vpc_attachment import VpcAttachment
from cdk.constructs.log_groups import log_group
from cdk.deployment import Deployment

REFUSALS: Final = ROOT / "api/gateway_responses.json"
_API: Final = "RestAPI"
"""Chalice's name of it."""


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
        self.functions = gateway_functions(self, deployment, stores)
        self._app = self._build_app()
        for part, function in self.functions.items():
            self._build_function(part, function)
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
            functions=[function.chalice for function in self.functions.values()],
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

    def _build_function(self, part: str, described: Function) -> None:
        id_ = part.title().replace("-", "")
        log = log_group(self, f"{id_}Log", self._stage, f"/aws/lambda/{described.name}")
        role = function_role(
            self,
            f"{id_}Role",
            function=described.name,
            log=log,
            attachment=self._attachment,
            rights=described.rights,
        )
        function = cast("sam.CfnFunction", self._app.get_resource(described.chalice))
        function.function_name = described.name
        function.memory_size, function.timeout = described.memory_mb, described.timeout_s
        function.role = role.role_arn
        function.environment = sam.CfnFunction.FunctionEnvironmentProperty(
            variables=described.environment
        )
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
