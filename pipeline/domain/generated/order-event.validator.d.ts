// Generated from order-event.schema.json by scripts/generate.ts. Do not edit.
import type { ErrorObject } from "ajv";
declare function validate(event: unknown): boolean;
declare namespace validate {
  let errors: ErrorObject[] | null | undefined;
}
export default validate;
export { validate };
