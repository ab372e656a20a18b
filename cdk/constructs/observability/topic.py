"""Where alarms go: one topic a stage, encrypted, and by mail to whoever the stage names."""

from aws_cdk import Annotations, Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk import names
from cdk.constructs.alarms import TOPIC
from cdk.stages import Stage


class AlarmTopic(Construct):
    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._key = self._build_key(stage)
        self.topic = self._build_topic(stage)
        if stage.alarms:
            self.topic.add_subscription(subscriptions.EmailSubscription(stage.alarms.email))
        else:
            Annotations.of(self).add_warning_v2(
                "llmo:nobody-is-told-of-alarms",
                f"stages.toml: stages.{stage.name}.alarms is missing: "
                "no alarm will be mailed to anybody",
            )

    def _build_topic(self, stage: Stage) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=names.prefixed(stage, TOPIC),
            master_key=self._key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return topic

    def _build_key(self, stage: Stage) -> kms.Key:
        """AWS's own key for SNS does not let CloudWatch in."""
        key = kms.Key(
            self,
            "Key",
            description=f"Alarms of {stage.name}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # a topic keeps nothing
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # this key: a key's policy can name no other
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return key

    def let_publish(self, role: iam.IRole) -> None:
        """Publishing to an encrypted topic takes a data key of its own."""
        for action, resource in {
            "sns:Publish": self.topic.topic_arn,
            "kms:GenerateDataKey": self._key.key_arn,
            "kms:Decrypt": self._key.key_arn,
        }.items():
            role.add_to_principal_policy(
                iam.PolicyStatement(actions=[action], resources=[resource])
            )
