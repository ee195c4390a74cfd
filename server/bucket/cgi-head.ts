import { fail } from '../errors.ts';

export type CgiHead = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** The bytes that arrived after the head. */
  readonly rest: Buffer;
};

const maxHeadBytes = 16 * 1024;

/** Parses the head of a CGI answer (RFC 3875 section 6); undefined until it is complete. @throws FeedError GIT_FAILED */
export function readCgiHead(bytes: Buffer): CgiHead | undefined {
  // In latin1, an offset in the text is an offset in the bytes.
  const text = bytes.subarray(0, maxHeadBytes).toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) {
    return text.length < maxHeadBytes
      ? undefined
      : fail('GIT_FAILED', {}, new Error('a CGI head without end'));
  }
  const headers = new Map<string, string>();
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const [, name = '', value = ''] =
      /^([\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ??
      fail('GIT_FAILED', {}, new Error(`no CGI header: ${line}`));
    headers.set(name.toLowerCase(), value);
  }
  const [, status = '200'] = /^(\d{3})\b/.exec(headers.get('status') ?? '') ?? [];
  return { status: Number(status), headers, rest: bytes.subarray(end.index + end[0].length) };
}
