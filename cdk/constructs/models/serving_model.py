"""One engine as SageMaker's model: container, environment, weights."""

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.models.endpoint_role import EndpointRole
from cdk.serving_container import image_uri, serving_environment
from cdk.weights import model_uri
from gpu_fleet.engines import Engine


def serving_model(
    scope: Construct, id_: str, *, name: str, engine: Engine, role: EndpointRole
) -> sagemaker.CfnModel:
    """It has no name of its own: a change makes another one, and the endpoint goes over to it."""
    place = role.place
    weights = sagemaker.CfnModel.S3DataSourceProperty(
        s3_uri=model_uri(place.weights.bucket_name, engine),
        s3_data_type="S3Prefix",
        compression_type="None",
    )
    model = sagemaker.CfnModel(
        scope,
        id_,
        execution_role_arn=role.role.role_arn,
        # SageMaker itself brings weights and adapters; the container talks to nobody.
        enable_network_isolation=True,
        vpc_config=sagemaker.CfnModel.VpcConfigProperty(
            security_group_ids=[place.group.security_group_id], subnets=place.subnets
        ),
        primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
            image=image_uri(place.region),
            environment=serving_environment(name, engine),
            model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=weights),
        ),
    )
    model.node.add_dependency(role.policy)
    return model
