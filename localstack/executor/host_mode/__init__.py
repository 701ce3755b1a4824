"""Runs LocalStack on a host without Docker: Node.js functions as processes, and on 127.0.0.1 only.

``plugin`` is the executor that LocalStack sees; ``sandbox`` is one execution environment; ``runtime`` is one process in
it; ``runtime_api`` is the HTTP interface between the two. ``loopback_server`` is where LocalStack listens, and ``object_files``
where its S3 keeps files. Only ``plugin``, ``loopback_server`` and ``object_files`` import LocalStack.
"""
