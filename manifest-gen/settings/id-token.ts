import { resolve } from 'node:path';
import { isLoopback, type KeySource } from './feed-key.ts';

/** Where a CI job has its OIDC token. */
export type TokenSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** GitHub Actions: it is asked for one, for whom it is to be. */
  | { readonly kind: 'github'; readonly url: string; readonly secret: string };

/**
 * FEED_ID_TOKEN, else the file FEED_ID_TOKEN_FILE: what GitLab's `id_tokens` sets, and others can write.
 */
export function givenToken({ env, cwd }: KeySource, problems: string[]): TokenSource | undefined {
  const { FEED_ID_TOKEN: text, FEED_ID_TOKEN_FILE: file } = env;
  if (text) {
    if (!/^[\w.-]+$/.test(text.trim())) problems.push('FEED_ID_TOKEN: must be an OIDC token (a JWT)');
    return { kind: 'text', text: text.trim() };
  }
  return file ? { kind: 'file', path: resolve(cwd, file) } : undefined;
}

/** What the runner of GitHub Actions sets in a job with `permissions: id-token: write`. */
export function githubToken({ env }: KeySource): TokenSource | undefined {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  if (!url || !secret || !URL.canParse(url)) return undefined;
  const isSafe = new URL(url).protocol === 'https:' || isLoopback(url);
  return isSafe ? { kind: 'github', url, secret } : undefined;
}
