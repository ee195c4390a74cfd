/**
 * Code -> [HTTP status, sentence]. `{name}` is filled in from the details. A sentence says what was expected, what was found and
 * what to do next. It is also sent as the reason phrase (spec nuget-v2 10.3: clients show nothing else), so it is one line
 * without secrets.
 */
export type ErrorTable = Readonly<Record<string, readonly [status: number, sentence: string]>>;
