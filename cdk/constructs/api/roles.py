"""What each of the gateway's functions may do: exactly what its code calls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk import names
from cdk.constructs.api.vpc_attachment import VpcAttachment, acknowledge_attachment
from cdk.deployment import Deployment


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where the gateway keeps what outlives a request."""

    keys: dynamodb.ITable
    routing: dynamodb.ITable
    audit: dynamodb.ITable
    key_pepper: secretsmanager.ISecret


def authorizer_rights(stores: Stores) -> list[iam.PolicyStatement]:
    """It looks a key up, and checks its secret."""
    return [
        _allow([stores.keys.table_arn], "dynamodb:GetItem"),
        _allow([stores.key_pepper.secret_arn], "secretsmanager:GetSecretValue"),
    ]


def key_expiry_rights(stores: Stores) -> list[iam.PolicyStatement]:
    """It pages over all keys."""
    return [_allow([stores.keys.table_arn], "dynamodb:Scan")]


def handler_rights(
    stores: Stores, *, engine_keys: Sequence[str], endpoints: Sequence[str]
) -> list[iam.PolicyStatement]:
    """It makes and changes keys and splits, each with a record, and calls models.

    A transaction needs no right of its own: DynamoDB asks for that of each write in it.
    """
    secrets = [stores.key_pepper.secret_arn, *engine_keys]
    rights = [
        _allow([stores.keys.table_arn], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"),
        _allow(
            [stores.routing.table_arn], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"
        ),
        _allow([stores.audit.table_arn], "dynamodb:PutItem"),
        _allow(secrets, "secretsmanager:GetSecretValue"),
    ]
    if endpoints:
        rights.append(_allow(endpoints, "sagemaker:InvokeEndpoint"))
    return rights


def engine_key_arns(scope: Construct, deployment: Deployment) -> list[str]:
    """By name: the fleet's stack makes them, and may come later and go earlier.

    Secrets Manager ends each ARN with six characters of its own.
    """
    return [
        Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{names.engine_key(deployment.stage, engine)}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for engine in deployment.fleet.engines
    ]


def endpoint_arns(scope: Construct, deployment: Deployment) -> list[str]:
    """Of the stage's SageMaker endpoints and of what is called on them; none where none run."""
    if not deployment.sagemaker:
        return []
    called = [
        *(("endpoint", name) for name in deployment.endpoints),
        *(
            ("inference-component", name)
            for endpoint in deployment.endpoints.values()
            for name in endpoint.inference_components
        ),
    ]
    return [
        Stack.of(scope).format_arn(
            service="sagemaker",
            resource=kind,
            resource_name=names.endpoint(deployment.stage, name),
        )
        for kind, name in called
    ]


def function_role(
    scope: Construct,
    id_: str,
    *,
    function: str,
    log: logs.ILogGroup,
    attachment: VpcAttachment,
    rights: Iterable[iam.PolicyStatement],
) -> iam.Role:
    """A role of one function's own, which may also write its log and join the network."""
    statements = [
        *rights,
        _allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        *attachment.rights(scope, function),
    ]
    role = iam.Role(
        scope,
        id_,
        description=f"What {function} may do",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        # Within the role: Lambda joins the network by it as soon as the function is made.
        inline_policies={"Rights": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_attachment(role)
    return role


def _allow(resources: Sequence[str], *actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
