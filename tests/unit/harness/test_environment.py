from harness.local import environment
from harness.local.state import AwsAccess

ACCESS = AwsAccess(
    endpoint_url="http://127.0.0.1:3",
    region="us-west-2",
    access_key_id="local",
    secret_access_key="secret",
)


def test_nothing_of_the_callers_cloud_or_interpreter_leaks_in() -> None:
    caller = {
        "PATH": "/bin",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_DYNAMODB": "https://elsewhere",
        "PYTHONPATH": "/elsewhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HTTP_PROXY": "http://proxy",
        "https_proxy": "http://proxy",
        "GATEWAY_CONFIG": "/elsewhere",
        "VLLM_API_KEY": "theirs",
    }

    assert environment.base(caller) == {"PATH": "/bin"}


def test_where_spans_go_is_the_callers_choice() -> None:
    caller = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "LOG_LEVEL": "DEBUG"}

    assert environment.base(caller) == caller


def test_the_aws_of_a_part_is_the_stand_in_only() -> None:
    aws = environment.aws(ACCESS)

    assert aws["AWS_ENDPOINT_URL"] == ACCESS.endpoint_url
    assert aws["AWS_CONFIG_FILE"] == aws["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert aws["AWS_EC2_METADATA_DISABLED"] == "true"
