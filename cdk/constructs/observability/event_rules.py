"""What AWS itself tells of the stage by events: mailed as an alarm is, or only counted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.constructs.observability.topic import AlarmTopic
from cdk.constructs.service_trust import only_for_us
from cdk.deployment import Deployment
from cdk.stages import Stage

# As SageMaker's events write them: not as its API does.
_ENDPOINT_FAILED: Final = ("FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED")
_SERVICES: Final = (
    "APIGATEWAY",
    "DYNAMODB",
    "EBS",
    "EC2",
    "EKS",
    "ELASTICLOADBALANCING",
    "EVENTS",
    "KMS",
    "LAMBDA",
    "NATGATEWAY",
    "S3",
    "SAGEMAKER",
    "SECRETSMANAGER",
    "SNS",
    "STATES",
    "VPC",
    "WAF",
)
_SPOT: Final = "spot-interrupted"


@dataclass(frozen=True, kw_only=True)
class Event:
    pattern: Mapping[str, Any]
    meaning: str
    look: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    """What of the event is in the mail: `<name>` in `meaning`, and its path. None: no mail."""


def watched_events(deployment: Deployment) -> Mapping[str, Event]:
    """By the rule's name. What is to be told of or counted is one entry."""
    stage = deployment.stage
    found = {
        "health": Event(
            meaning="AWS Health, <service>: <code> (<category>).",
            look="the account's Health dashboard; does it explain what other alarms say?",
            pattern={
                "source": ["aws.health"],
                "detail-type": ["AWS Health Event"],
                "detail": {
                    "service": list(_SERVICES),
                    "eventTypeCategory": ["issue", "investigation", "scheduledChange"],
                    # Some regions also get copies of what happens in others.
                    "eventRegion": [stage.region, "global"],
                },
            },
            told={
                "service": "$.detail.service",
                "code": "$.detail.eventTypeCode",
                "category": "$.detail.eventTypeCategory",
            },
        ),
        _SPOT: Event(
            meaning="AWS takes a SPOT machine back; the cluster drains and replaces it.",
            pattern={
                "source": ["aws.ec2"],
                "detail-type": ["EC2 Spot Instance Interruption Warning"],
            },
        ),
    }
    if deployment.endpoints and stage.sagemaker:
        found["endpoint-failed"] = _endpoint_failed(deployment)
    return found


def _endpoint_failed(deployment: Deployment) -> Event:
    return Event(
        meaning="The SageMaker endpoint <endpoint> is <status>.",
        look="its FailureReason (`aws sagemaker describe-endpoint`), then "
        "/aws/sagemaker/Endpoints/<endpoint>.",
        pattern={
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change"],
            "detail": {
                "EndpointName": [
                    names.endpoint(deployment.stage, name) for name in deployment.endpoints
                ],
                "EndpointStatus": list(_ENDPOINT_FAILED),
            },
        },
        told={"endpoint": "$.detail.EndpointName", "status": "$.detail.EndpointStatus"},
    )


class EventRules(Construct):
    """Rules publish by a role: EventBridge's own principal knows no conditions in the policy of a
    topic, so letting it in would let in every account's rules.
    """

    def __init__(
        self, scope: Construct, id_: str, *, deployment: Deployment, topic: AlarmTopic
    ) -> None:
        super().__init__(scope, id_)
        self._stage = deployment.stage
        self._topic = topic.topic
        watched = watched_events(deployment)
        self._role = self._build_role()
        topic.let_publish(self._role)
        for name, event in watched.items():
            self._build_rule(name, event)
        self.telling = tuple(
            _rule_name(self._stage, name) for name, event in watched.items() if event.told
        )
        """Names of rules that mail."""
        self.counting_spot = _rule_name(self._stage, _SPOT)

    def _build_role(self) -> iam.Role:
        rules = Stack.of(self).format_arn(
            service="events",
            resource="rule",
            resource_name=_rule_name(self._stage, "*"),
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        return iam.Role(
            self,
            "Role",
            description=f"Rules of {self._stage.name} tell of events",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions=only_for_us(self, rules)
            ),
        )

    def _build_rule(self, name: str, event: Event) -> None:
        events.CfnRule(
            self,
            name,
            name=_rule_name(self._stage, name),
            description=event.meaning,
            event_pattern=event.pattern,
            state="ENABLED",
            targets=[self._target(event)] if event.told else None,
        )

    def _target(self, event: Event) -> events.CfnRule.TargetProperty:
        text = f"{self._stage.name}: {event.meaning} First: {event.look}"
        return events.CfnRule.TargetProperty(
            id="alarms",
            arn=self._topic.topic_arn,
            role_arn=self._role.role_arn,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map=dict(event.told), input_template=json.dumps(text)
            ),
        )


def _rule_name(stage: Stage, name: str) -> str:
    return names.prefixed(stage, f"event-{name}")
