"""The public side: gateway, firewall in front of it, and its name where the stage has a domain."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput
from constructs import Construct

from cdk.constructs.api.domain import ApiDomain
from cdk.constructs.api.functions import Function
from cdk.constructs.api.gateway import REFUSALS, Gateway
from cdk.constructs.api.roles import Stores
from cdk.constructs.api.vpc_attachment import VpcAttachment
from cdk.constructs.api.web_firewall import WebFirewall
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.data import DataStack
from cdk.stacks.network import NetworkStack


class ApiStack(StageStack):
    url: str
    """Where callers find it; no slash at its end."""
    api_id: str
    api_name: str
    functions: Mapping[str, Function]
    """By part: gateway, authorizer, and what no caller waits for."""

    def __init__(
        self, scope: Construct, deployment: Deployment, *, network: NetworkStack, data: DataStack
    ) -> None:
        super().__init__(scope, deployment, "api")
        self._gateway = self._build_gateway(network, data)
        self.api_id = self._gateway.api.ref
        self.api_name = self._gateway.api_name
        self.functions = self._gateway.functions
        self._build_firewall()
        # The harness imports it while there is no domain, and is deployed after this stack.
        self.export_value(self.api_id)
        self.url = self._build_domain() or self._own_url()
        self._build_outputs()

    def _build_gateway(self, network: NetworkStack, data: DataStack) -> Gateway:
        stores = Stores(
            keys=data.keys_table,
            routing=data.routing_table,
            audit=data.audit_table,
            key_pepper=data.key_pepper,
        )
        subnets = network.vpc.select_subnets(
            subnet_group_name=network.functions_subnets.subnet_group_name
        )
        return Gateway(
            self,
            "Gateway",
            deployment=self.deployment,
            attachment=VpcAttachment(subnet_ids=subnets.subnet_ids, group=network.functions_group),
            stores=stores,
        )

    def _build_firewall(self) -> None:
        refusals: Mapping[str, Any] = json.loads(REFUSALS.read_text("utf-8"))
        firewall = WebFirewall(self, "Firewall", stage=self.stage, throttled=refusals["THROTTLED"])
        stage = f"restapis/{self.api_id}/stages/{self._gateway.stage_name}"
        firewall.protect(f"arn:{self.partition}:apigateway:{self.region}::/{stage}")

    def _build_domain(self) -> str | None:
        domain = self.stage.domain
        if domain is None:
            return None
        ApiDomain(
            self,
            "Domain",
            domain=domain,
            api_id=self.api_id,
            api_stage=self._gateway.stage_name,
        )
        return f"https://{domain.name}"

    def _own_url(self) -> str:
        host = f"{self.api_id}.execute-api.{self.region}.{self.url_suffix}"
        return f"https://{host}/{self.stage.name}"

    def _build_outputs(self) -> None:
        CfnOutput(self, "Url", value=self.url, description="Where callers find the API")
        self.publish("url", self.url, "Where callers find the API")
