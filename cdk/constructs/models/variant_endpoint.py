"""An endpoint whose production variants share its requests by weight."""

from typing import Final

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.models.endpoint_role import EndpointRole
from cdk.constructs.models.endpoint_scaling import VariantScaling, concurrency_target
from cdk.constructs.models.serving_model import serving_model
from cdk.serving_container import DOWNLOAD_TIMEOUT_S, HOST_IMAGE
from cdk.team_endpoints import TeamEndpoint

_DRAIN_S: Final = 120  # a container answers within 60 s


class VariantEndpoint(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        team: TeamEndpoint,
        role: EndpointRole,
    ) -> None:
        super().__init__(scope, id)
        self._team = team
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            production_variants=[self._variant(name, role) for name in team.entry.variants],
        )
        self._endpoint = self._build_endpoint(config)
        self._build_scaling()

    def _variant(
        self, name: str, role: EndpointRole
    ) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        variant, engine = self._team.entry.variants[name], self._team.engines[name]
        model = serving_model(self, f"{name}Model", name=variant.engine, engine=engine, role=role)
        return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=name,
            model_name=model.attr_model_name,
            initial_instance_count=variant.initial_instance_count,
            initial_variant_weight=variant.weight,
            instance_type=variant.instance_type,
            inference_ami_version=HOST_IMAGE,
            model_data_download_timeout_in_seconds=DOWNLOAD_TIMEOUT_S,
            container_startup_health_check_timeout_in_seconds=engine.startup_budget_s,
            routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(
                routing_strategy="LEAST_OUTSTANDING_REQUESTS"
            ),
        )

    def _build_endpoint(self, config: sagemaker.CfnEndpointConfig) -> sagemaker.CfnEndpoint:
        """A new fleet takes over when it is well, and the old one finishes what it has. In steps it
        can't be: a step is at most half of the instances, and there may be one.
        """
        takeover = sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
            termination_wait_in_seconds=_DRAIN_S,
            traffic_routing_configuration=sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                type="ALL_AT_ONCE", wait_interval_in_seconds=_DRAIN_S
            ),
        )
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._team.deployed_name,
            endpoint_config_name=config.attr_endpoint_config_name,
            deployment_config=sagemaker.CfnEndpoint.DeploymentConfigProperty(
                blue_green_update_policy=takeover
            ),
            # An update keeps the instances that scaling arrived at, but not the old weights.
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=[
                sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type="DesiredWeight")
            ],
        )

    def _build_scaling(self) -> None:
        for name, variant in self._team.entry.variants.items():
            if variant.max_instance_count > variant.initial_instance_count:
                VariantScaling(
                    self,
                    f"{name}Scaling",
                    endpoint=self._team.deployed_name,
                    variant=name,
                    fewest=variant.initial_instance_count,
                    most=variant.max_instance_count,
                    target=concurrency_target(self._team.engines[name]),
                    after=self._endpoint,
                )
