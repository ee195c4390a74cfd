import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCgiHead } from '../../../server/bucket/cgi-head.ts';

describe('the head of a CGI answer', () => {
  it.each([
    ['CRLF', 'Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nbody', 403, 'text/plain', 'body'],
    ['LF', 'Content-Type: x/y\n\nbody\n\nmore', 200, 'x/y', 'body\n\nmore'],
    ['no status', 'Content-Type: application/x-git\r\n\r\n', 200, 'application/x-git', ''],
    ['spaces', 'content-type:   a/b  \r\n\r\n\r\n', 200, 'a/b', '\r\n'],
  ])('is read with %s', (_name, text, status, type, rest) => {
    const head = readCgiHead(Buffer.from(text));

    expect(head).toMatchObject({ status });
    expect(head?.headers.get('content-type')).toBe(type);
    expect(head?.rest.toString()).toBe(rest);
  });

  it('is read up to its end, wherever it is cut, with every byte after it', () => {
    const head = Buffer.from('Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(head.length - 1), (body, cut) => {
        const whole = Buffer.concat([head, body]);

        expect(readCgiHead(whole.subarray(0, cut))).toBeUndefined();
        expect(readCgiHead(whole)?.rest).toEqual(Buffer.from(body));
      }),
    );
  });

  it.each([
    ['has no end', 'X-Filler: 1\r\n'.repeat(2_000)],
    ['is no head', 'no head at all\n\n'],
  ])('is refused when it %s', (_name, text) => {
    expect(() => readCgiHead(Buffer.from(text))).toThrowError(
      expect.objectContaining({ code: 'GIT_FAILED' }),
    );
  });
});
