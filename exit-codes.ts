/** Exit codes of every verb (contract section 1); `--help` prints them from here. */
const exitCodes = [
  [0, 'done, or nothing to do'],
  [1, 'failed; also: a key was refused, there is no such tool or upstream version'],
  [2, 'wrong usage or settings; also: a malformed argument'],
  [3, 'verification refused: something is not what it claims to be'],
  [4, 'upstream, the feed, the bucket or the vulnerability database is unreachable; also: Go is missing'],
  [5, 'release:check, devbox:check or feed:doctor found something to act on'],
  [130, 'interrupted (Ctrl-C)'],
] as const;

export function exitCodesHelp(): string {
  const lines = exitCodes.map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`);
  return ['Exit codes of every verb:', ...lines].join('\n');
}
