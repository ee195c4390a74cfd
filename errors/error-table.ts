/**
 * A way to fail: code -> [exit code, sentence, what to do next]. Exit codes: contract section 1. `{name}` is filled from the
 * details; details never contain a secret.
 */
export type ErrorTable = Readonly<Record<string, readonly [number, string, string]>>;
