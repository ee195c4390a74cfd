/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same for the middle of a sentence: `connect ECONNREFUSED 127.0.0.1:9`. OpenSSL's errors end with a colon and a line break. */
export function inShort(error: unknown): string {
  return (messageOf(error).split('\n', 1)[0] ?? '').replace(/[.:\s]+$/, '');
}
