"""Folder of large S3 objects below TMPDIR: LocalStack's default provider always uses /tmp."""

import tempfile
from pathlib import Path

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="s3", name="host")
def s3() -> Service:
    """LocalStack's S3 with its files below TMPDIR, selected by ``PROVIDER_OVERRIDE_S3=host``."""
    from localstack.services.s3.provider import S3Provider
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore

    folder = Path(tempfile.gettempdir(), "objects")
    return Service.for_provider(S3Provider(EphemeralS3ObjectStore(str(folder))))
