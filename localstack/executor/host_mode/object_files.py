"""Where LocalStack's S3 keeps large objects: its own provider takes a folder in /tmp, whatever TMPDIR says."""

import tempfile
from pathlib import Path

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="s3", name="host")
def s3() -> Service:
    """LocalStack's own S3 with its files below TMPDIR, as ``PROVIDER_OVERRIDE_S3=host`` chooses."""
    from localstack.services.s3.provider import S3Provider
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore

    folder = Path(tempfile.gettempdir(), "objects")
    return Service.for_provider(S3Provider(EphemeralS3ObjectStore(str(folder))))
