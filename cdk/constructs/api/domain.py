"""The API's own name: certificate, TLS, and the record in the public zone."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from cdk.acknowledged import acknowledge
from cdk.constructs.api.swagger import ACCESS_MODE, NAMES_SAM_STAGE, TLS
from cdk.stages import Domain


class ApiDomain(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, domain: Domain, api_id: str, api_stage: str
    ) -> None:
        super().__init__(scope, id_)
        self._domain = domain
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=domain.hosted_zone_id, zone_name=domain.hosted_zone_name
        )
        self._name = self._build_name(zone)
        self._build_mapping(api_id, api_stage)
        self._build_record(zone)

    def _build_name(self, zone: route53.IHostedZone) -> apigateway.CfnDomainName:
        certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=self._domain.name,
            validation=acm.CertificateValidation.from_dns(zone),
        )
        return apigateway.CfnDomainName(
            self,
            "Name",
            domain_name=self._domain.name,
            regional_certificate_arn=certificate.certificate_arn,
            endpoint_configuration={"types": ["REGIONAL"]},
            security_policy=TLS,
            endpoint_access_mode=ACCESS_MODE,
        )

    def _build_mapping(self, api_id: str, api_stage: str) -> None:
        mapping = apigateway.CfnBasePathMapping(
            self, "Mapping", domain_name=self._name.ref, rest_api_id=api_id, stage=api_stage
        )
        acknowledge(mapping, NAMES_SAM_STAGE)

    def _build_record(self, zone: route53.IHostedZone) -> None:
        name = apigateway.DomainName.from_domain_name_attributes(
            self,
            "Target",
            domain_name=self._name.ref,
            domain_name_alias_target=self._name.attr_regional_domain_name,
            domain_name_alias_hosted_zone_id=self._name.attr_regional_hosted_zone_id,
        )
        target = route53.RecordTarget.from_alias(targets.ApiGatewayDomain(name))
        for kind in (route53.ARecord, route53.AaaaRecord):
            kind(self, kind.__name__, zone=zone, record_name=self._domain.name, target=target)
