import { fail, quoted, visible } from './format-error.ts';
import { textPosition } from './text-position.ts';

const maxBytes = 1024 * 1024;
const maxDepth = 32;

/**
 * JSON as PowerShell reads it: two keys of one object that differ at most in case are an error (spec scoop 3.1), where
 * JSON.parse would silently keep the last.
 * @throws FormatError JSON_*
 */
export function readJson(text: string): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) fail('JSON_TOO_LARGE', { bytes, maxBytes });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return fail('JSON_MALFORMED', { problem: visible(problem) }, error);
  }
  inspect(text);
  return value;
}

/** Parses text from outside; undefined when it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Walks text that is known to be valid JSON, so a string before a colon is a key. */
function inspect(text: string): void {
  const open: Set<string>[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    const [token, colon] = match;
    if (token === '{' || token === '[') {
      if (open.length >= maxDepth) fail('JSON_TOO_DEEP', { maxDepth, ...textPosition(text, match.index) });
      open.push(new Set());
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      const key = String(JSON.parse(token.slice(0, token.length - colon.length)));
      const keys = open.at(-1);
      if (keys?.has(key.toLowerCase())) {
        fail('JSON_KEY_TWICE', { key: quoted(key), ...textPosition(text, match.index) });
      }
      keys?.add(key.toLowerCase());
    }
  }
}
