"""Runs LocalStack without Docker: Node.js functions as processes, and on 127.0.0.1 only.

``plugin`` is the executor that LocalStack loads; ``sandbox`` is one execution environment; ``runtime`` is one process in it;
``runtime_api`` is the HTTP interface between the two. ``loopback_server`` is LocalStack's listener, and ``object_files`` is the
file store of its S3. Only ``plugin``, ``loopback_server`` and ``object_files`` import LocalStack.
"""
