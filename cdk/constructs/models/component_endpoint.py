"""An endpoint on whose instances a base runs, with adapters that are called by their own names."""

from typing import Final

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.models.component_scaling import ComponentScaling
from cdk.constructs.models.endpoint_role import EndpointRole
from cdk.constructs.models.endpoint_scaling import concurrency_target
from cdk.constructs.models.serving_model import serving_model
from cdk.serving_container import DOWNLOAD_TIMEOUT_S, HOST_IMAGE
from cdk.team_endpoints import TeamEndpoint

# What one copy asks of its instance: the card, and a share that leaves room for SageMaker's agents.
_CPUS: Final = 2
_MEMORY_MIB: Final = 8192


class ComponentEndpoint(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        team: TeamEndpoint,
        role: EndpointRole,
    ) -> None:
        super().__init__(scope, id)
        self._team = team
        self._place = role.place
        self._variant, self._instances = team.only_variant
        self._engine = team.engines[self._variant]
        self._endpoint = self._build_endpoint(role)
        base = self._build_base(role)
        self._build_adapters(base)
        self._build_scaling(base)

    def _build_endpoint(self, role: EndpointRole) -> sagemaker.CfnEndpoint:
        """Instances follow the copies: none where no component has one."""
        config = sagemaker.CfnEndpointConfig
        instances = config.ProductionVariantProperty(
            variant_name=self._variant,
            initial_instance_count=self._instances.initial_instance_count,
            instance_type=self._instances.instance_type,
            inference_ami_version=HOST_IMAGE,
            model_data_download_timeout_in_seconds=DOWNLOAD_TIMEOUT_S,
            container_startup_health_check_timeout_in_seconds=self._engine.startup_budget_s,
            managed_instance_scaling=config.ManagedInstanceScalingProperty(
                status="ENABLED",
                min_instance_count=0,
                max_instance_count=self._instances.max_instance_count,
            ),
            routing_config=config.RoutingConfigProperty(
                routing_strategy="LEAST_OUTSTANDING_REQUESTS"
            ),
        )
        made = config(
            self,
            "Config",
            execution_role_arn=role.role.role_arn,
            enable_network_isolation=True,
            vpc_config=config.VpcConfigProperty(
                security_group_ids=[self._place.group.security_group_id],
                subnets=self._place.subnets,
            ),
            production_variants=[instances],
        )
        made.node.add_dependency(role.policy)
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._team.deployed_name,
            endpoint_config_name=made.attr_endpoint_config_name,
        )

    def _build_base(self, role: EndpointRole) -> sagemaker.CfnInferenceComponent:
        model = serving_model(
            self, "Model", name=self._instances.engine, engine=self._engine, role=role
        )
        component = sagemaker.CfnInferenceComponent
        return component(
            self,
            "Base",
            inference_component_name=self._team.base,
            endpoint_name=self._endpoint.attr_endpoint_name,
            variant_name=self._variant,
            specification=component.InferenceComponentSpecificationProperty(
                model_name=model.attr_model_name,
                startup_parameters=component.InferenceComponentStartupParametersProperty(
                    model_data_download_timeout_in_seconds=DOWNLOAD_TIMEOUT_S,
                    container_startup_health_check_timeout_in_seconds=self._engine.startup_budget_s,
                ),
                compute_resource_requirements=(
                    component.InferenceComponentComputeResourceRequirementsProperty(
                        number_of_accelerator_devices_required=1,
                        number_of_cpu_cores_required=_CPUS,
                        min_memory_required_in_mb=_MEMORY_MIB,
                    )
                ),
            ),
            # A first copy proves that it loads; scaling takes it away again where nobody calls.
            runtime_config=component.InferenceComponentRuntimeConfigProperty(copy_count=1),
            deployment_config=self._one_by_one()
            if self._instances.max_instance_count > 1
            else None,
        )

    def _one_by_one(
        self,
    ) -> sagemaker.CfnInferenceComponent.InferenceComponentDeploymentConfigProperty:
        """A new copy before an old one goes, which needs an instance more than there are copies."""
        component = sagemaker.CfnInferenceComponent
        return component.InferenceComponentDeploymentConfigProperty(
            rolling_update_policy=component.InferenceComponentRollingUpdatePolicyProperty(
                maximum_batch_size=component.InferenceComponentCapacitySizeProperty(
                    type="COPY_COUNT", value=1
                ),
                wait_interval_in_seconds=60,
                maximum_execution_timeout_in_seconds=3600,
            )
        )

    def _build_adapters(self, base: sagemaker.CfnInferenceComponent) -> None:
        component = sagemaker.CfnInferenceComponent
        for name, key in self._team.adapters.items():
            adapter = component(
                self,
                name,
                inference_component_name=name,
                endpoint_name=self._endpoint.attr_endpoint_name,
                specification=component.InferenceComponentSpecificationProperty(
                    base_inference_component_name=self._team.base,
                    container=component.InferenceComponentContainerSpecificationProperty(
                        artifact_url=self._place.weights.s3_url_for_object(key)
                    ),
                ),
            )
            adapter.node.add_dependency(base)

    def _build_scaling(self, base: sagemaker.CfnInferenceComponent) -> None:
        assert self._team.base  # noqa: S101  (an endpoint without one is a VariantEndpoint)
        ComponentScaling(
            self,
            "Scaling",
            base=self._team.base,
            components=self._team.components,
            most=self._instances.max_instance_count,
            target=concurrency_target(self._engine),
            after=base,
        )
