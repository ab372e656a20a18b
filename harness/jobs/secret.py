"""The key that a run asks with, from Secrets Manager: the harness' one seam to it."""

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from harness.aws import session
from harness.errors import StoreError


def api_key(arn: str) -> str | dict[str, str]:
    """The secret as it is, or by the names of arms where it is a JSON object of strings.

    Raises StoreError, without the secret's name or text.
    """
    try:
        with session() as one:
            secrets = one.client("secretsmanager")
        secret = secrets.get_secret_value(SecretId=arn)["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        raise StoreError(
            f"API_KEY_SECRET can't be read ({code or type(error).__name__}): does the secret "
            "exist, and does the function's role allow secretsmanager:GetSecretValue on it?"
        ) from None
    try:
        return msgspec.json.decode(secret, type=dict[str, str])
    except msgspec.DecodeError:
        return secret
