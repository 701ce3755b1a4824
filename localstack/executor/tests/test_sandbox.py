"""A function's environment and its caller's results, with real Node.js processes."""

import os
import unittest
from pathlib import Path

from tests.functions import Function, wait_until

EVENTFUL = """
let calls = 0;
console.log("loading");
export const handler = async (event, context) => {
  calls += 1;
  console.log("call", calls);
  if (event?.throw) throw new TypeError(event.throw);
  if (event?.exit !== undefined) process.exit(event.exit);
  if (event?.kill) process.kill(process.pid, "SIGKILL");
  if (event?.sleep) await new Promise((resolve) => setTimeout(resolve, event.sleep));
  if (event?.big) return "x".repeat(event.big);
  if (event?.late) setTimeout(() => { throw new Error("too late"); }, 1);
  if (event?.look) return { context, left: context.getRemainingTimeInMillis(), tmp: process.env.TMPDIR, pid: process.pid };
  return calls;
};
"""


class SandboxTest(unittest.TestCase):
    def function(self, source: str = EVENTFUL, **settings: object) -> Function:
        function = Function(source, **settings)
        self.addCleanup(function.close)
        function.sandbox.start()
        return function

    def test_a_process_stays_warm_between_invocations(self) -> None:
        function = self.function()
        self.assertEqual([function.value() for _ in range(3)], [1, 2, 3])

    def test_the_handler_receives_its_context(self) -> None:
        seen = self.function().value({"look": True})
        self.assertEqual(seen["context"]["awsRequestId"], "call-1")
        self.assertEqual(seen["context"]["invokedFunctionArn"], "arn:tested")
        self.assertEqual(seen["context"]["functionName"], "tested")
        self.assertTrue(0 < seen["left"] <= 5000)

    def test_a_thrown_error_has_name_message_and_trace_and_leaves_the_process_warm(self) -> None:
        function = self.function()
        error = function.error({"throw": "no"})
        self.assertEqual((error["errorType"], error["errorMessage"], error["trace"][0]), ("TypeError", "no", "TypeError: no"))
        self.assertEqual(function.value(), 2)

    def test_an_exit_fails_the_invocation_and_the_next_is_a_cold_start(self) -> None:
        function = self.function()
        self.assertEqual(
            function.error({"exit": 3}),
            {"errorType": "Runtime.ExitError", "errorMessage": "RequestId: call-1 Error: Runtime exited with error: exit status 3"},
        )
        self.assertEqual(function.value(), 1)

    def test_a_killed_process_is_reported_with_its_signal(self) -> None:
        self.assertIn("signal: SIGKILL", self.function().error({"kill": True})["errorMessage"])

    def test_a_timeout_ends_the_invocation_and_its_process(self) -> None:
        function = self.function(seconds=1)
        pid = function.value({"look": True})["pid"]
        self.assertEqual(
            function.error({"sleep": 60_000}),
            {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: call-2 Error: Task timed out after 1.00 seconds"},
        )
        self.assertFalse(is_alive(pid))

    def test_a_death_between_invocations_fails_none(self) -> None:
        function = self.function()
        function.call({"late": True})
        wait_until(function.sandbox.has_died)
        self.assertEqual(function.value(), 1)

    def test_a_response_over_six_megabytes_is_an_error(self) -> None:
        function = self.function()
        self.assertEqual(len(function.value({"big": 6 * 1024 * 1024})), 6 * 1024 * 1024)
        self.assertEqual(function.error({"big": 6 * 1024 * 1024 + 200})["errorType"], "Function.ResponseSizeTooLarge")
        self.assertEqual(function.value(), 3)

    def test_the_log_of_an_invocation_has_only_its_own_lines(self) -> None:
        function = self.function()
        first, second = function.call().logs.splitlines(), function.call().logs.splitlines()
        self.assertEqual(first[0], "START RequestId: call-1 Version: $LATEST")
        self.assertTrue(first[1].endswith("\tundefined\tINFO\t loading"), first[1])
        self.assertTrue(second[1].endswith("\tcall-2\tINFO\t call 2"), second[1])
        self.assertEqual(second[2], "END RequestId: call-2")
        self.assertRegex(second[3], r"^REPORT RequestId: call-2\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB")

    def test_a_handler_is_resolved_by_lambdas_rules(self) -> None:
        source = "export const inner = { handler: async () => 'found' }; export const handler = async () => 'plain';"
        for handler, found in [("a/b/land-it.handler", "plain"), ("a/b/land-it.inner.handler", "found")]:
            self.assertEqual(self.function(source, handler=handler, file="a/b/land-it.mjs").value(), found)

    def test_a_commonjs_module_works(self) -> None:
        source = "const { join } = require('node:path'); exports.handler = async () => join('a', 'b');"
        self.assertEqual(self.function(source, file="index.js").value(), "a/b")

    def test_a_load_error_is_reported_at_the_invocation(self) -> None:
        for source, handler, error_type in [
            ("export const other = 1;", "index.handler", "Runtime.HandlerNotFound"),
            ("export const handler = 1;", "missing.handler", "Runtime.ImportModuleError"),
            ("import 'no-such-package';", "index.handler", "Runtime.ImportModuleError"),
            ("const =", "index.handler", "Runtime.UserCodeSyntaxError"),
            ("throw new RangeError('while loading');", "index.handler", "RangeError"),
            ("process.exit(7);", "index.handler", "Runtime.ExitError"),
        ]:
            with self.subTest(error_type, source=source):
                self.assertEqual(self.function(source, handler=handler).error()["errorType"], error_type)

    def test_a_package_above_the_archive_is_not_found(self) -> None:
        for source, file in [("import 'outside'; export const handler = 1;", "index.mjs"), ("require('outside')", "index.js")]:
            function = Function(source, file=file)
            self.addCleanup(function.close)
            package = function.folder / "node_modules" / "outside"
            package.mkdir(parents=True)
            (package / "index.js").write_text("exports.outside = true;")
            self.assertEqual(function.error()["errorType"], "Runtime.ImportModuleError", file)

    def test_a_function_inherits_no_environment_variables(self) -> None:
        os.environ["EXECUTOR_TEST"] = "leaked"
        self.addCleanup(os.environ.pop, "EXECUTOR_TEST")
        function = self.function("export const handler = async () => process.env.EXECUTOR_TEST ?? null;")
        self.assertIsNone(function.value())

    def test_a_stop_ends_the_process_and_deletes_its_files(self) -> None:
        function = self.function()
        seen = function.value({"look": True})
        self.assertTrue(Path(seen["tmp"]).is_dir())
        function.sandbox.stop()
        self.assertFalse(Path(seen["tmp"]).exists())
        self.assertFalse(is_alive(seen["pid"]))
        with self.assertRaisesRegex(RuntimeError, "was stopped"):
            function.call()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    unittest.main()
