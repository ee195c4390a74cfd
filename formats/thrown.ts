/** The words of whatever was thrown. What has none of its own, as a host that refused at each of its addresses, has those of its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const causes: readonly unknown[] =
    error instanceof AggregateError ? error.errors : [error.cause ?? error.name];
  return causes.map(messageOf).join(' and ');
}

/** The same for the middle of a sentence: `connect ECONNREFUSED 127.0.0.1:9`. OpenSSL's errors end with a colon and a line break. */
export function inShort(error: unknown): string {
  return (messageOf(error).split('\n', 1)[0] ?? '').replace(/[.:\s]+$/, '') || 'no reason is given';
}
