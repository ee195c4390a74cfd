import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from '../../system/child-environment.ts';

/** Where `serve` and `start` listen when nothing else is set. */
export const defaultFeedUrl = 'http://127.0.0.1:8080/nuget';

export type KeySource = {
  readonly env: Environment;
  /** What relative paths start from. */
  readonly cwd: string;
};

/**
 * FEED_API_KEY, else the file FEED_API_KEY_FILE, else `start.key`: that one only for a feed on this machine, since it has every
 * scope on that server, and is never sent to another one (contract section 4). Nor is it used beside a token that was given.
 */
export function readFeedKey({ env, cwd }: KeySource, problems: string[], hasToken = false) {
  const { FEED_API_KEY: value, FEED_API_KEY_FILE: file, FEED_URL: feedUrl, DATA_DIR: dataDir } = env;
  if (value) return checkKey(value, 'FEED_API_KEY', problems);
  if (file) {
    const text = readText(resolve(cwd, file));
    if (text === undefined) problems.push(`FEED_API_KEY_FILE: cannot read ${file}`);
    return checkKey(text ?? '', 'FEED_API_KEY_FILE', problems);
  }
  if (hasToken || !isLoopback(feedUrl || defaultFeedUrl)) return undefined;
  const start = readText(resolve(cwd, dataDir || './data', 'start.key'));
  return start === undefined ? undefined : checkKey(start, 'start.key', problems);
}

/**
 * By the host that the URL parser makes of it, which is the one that is connected to: `2130706433` is 127.0.0.1 to it,
 * `127.0.0.1.example` a name like any other. `0.0.0.0` is no loopback address, though it may lead to one.
 */
export function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(address).hostname);
}

/** A key goes into HTTP headers: a stray line end would otherwise surface as an error that quotes it. */
function checkKey(text: string, name: string, problems: string[]) {
  const value = text.trim();
  if (/[^\x21-\x7e]/.test(value)) problems.push(`${name}: a key has no spaces and only printable ASCII`);
  // the key that `start` made for the server of this machine
  const isStartKey = name === 'start.key';
  return value === '' ? undefined : { value, isStartKey };
}

/** Undefined for a missing file and for an unreadable one: a setting that names it is reported, start.key need not be there. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
