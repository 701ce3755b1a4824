/** Resolves a function's handler by the rules of Lambda's Node.js runtime. */
import { existsSync, realpathSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Loads the handler of a string such as `lambdas/bronze/land-records.handler`: the export `handler` of the file
 * `lambdas/bronze/land-records`. The export follows the first dot of the last path segment.
 */
export async function loadHandler(taskRoot, handlerName) {
  const [, file, exported] = /^([^.]*)\.(.*)$/.exec(path.basename(handlerName)) ?? [];
  if (!file) throw named("Runtime.MalformedHandlerName", `Bad handler: ${handlerName}`);
  confineTo(taskRoot);
  const module = await loadModule(path.resolve(taskRoot, path.dirname(handlerName), file));
  const handler = exported.split(".").reduce((value, key) => value?.[key], module);
  if (typeof handler === "function") return handler;
  throw named("Runtime.HandlerNotFound", `${handlerName} is undefined or not exported`);
}

async function loadModule(base) {
  const found = [".js", ".mjs", ".cjs"].map((ending) => base + ending).find((candidate) => existsSync(candidate));
  try {
    if (!found) throw named("Error", `Cannot find module '${path.basename(base)}'`, { code: "MODULE_NOT_FOUND" });
    // CommonJS modules are required, because an import does not detect all of their exports.
    return found.endsWith(".mjs") ? await import(pathToFileURL(found)) : createRequire(found)(found);
  } catch (error) {
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) {
      throw named("Runtime.ImportModuleError", String(error), { stack: error.stack });
    }
    if (error instanceof SyntaxError) throw named("Runtime.UserCodeSyntaxError", String(error), { stack: error.stack });
    throw error;
  }
}

/** Restricts module resolution to the function's archive, as on Lambda, where parent folders have no packages. */
function confineTo(taskRoot) {
  const inside = pathToFileURL(realpathSync(taskRoot)).href + "/";
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const found = nextResolve(specifier, context);
      if (!found.url.startsWith("file:") || found.url.startsWith(inside)) return found;
      throw named("Error", `Cannot find module '${specifier}'`, { code: "MODULE_NOT_FOUND" });
    },
  });
}

function named(name, message, more = {}) {
  return Object.assign(new Error(message), { name }, more);
}
