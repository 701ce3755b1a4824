/** Settings or files that nothing can be built from; the message says all that is wrong, and is shown without a stack. */
export class SettingsError extends Error {
  override name = "SettingsError";
}
