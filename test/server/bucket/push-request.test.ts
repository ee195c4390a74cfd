import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPktLines } from '../../../server/bucket/pkt-line.ts';
import { commandLines, parsePushRequest } from '../../../server/bucket/push-request.ts';
import { capabilities, packet, zero } from '../../kit/raw-push.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
const first = `${a} ${b} refs/heads/beta\0${capabilities}`;
const parse = (...lines: string[]): ReturnType<typeof parsePushRequest> =>
  parsePushRequest(lines.map((line) => Buffer.from(line, 'latin1')));

describe('the list of commands of a push', () => {
  it('is read as git reads it', () => {
    const request = parse(`${first} atomic\n`, `${zero} ${b} refs/tags/buf/v1.0.0\n`);

    expect(request.commands).toEqual([
      { ref: 'refs/heads/beta', old: a, next: b },
      { ref: 'refs/tags/buf/v1.0.0', old: undefined, next: b },
    ]);
    expect(request.capabilities.has('atomic')).toBe(true);
    expect(request.isShallow).toBe(false);
    expect(commandLines(request.commands)).toEqual([
      `${zero} ${b} refs/tags/buf/v1.0.0`,
      `${a} ${b} refs/heads/beta`,
    ]);
  });

  it('is recognized as from a shallow clone, wherever the line is', () => {
    expect(parse(`shallow ${a}`, first).isShallow).toBe(true);
    expect(parse(first, `shallow ${a}`).isShallow).toBe(true);
  });

  it.each<[string, string[]]>([
    ['a ref twice', [first, `${b} ${a} refs/heads/beta`]],
    ['a ref that stays', [`${a} ${a} refs/heads/beta\0${capabilities}`]],
    ['zeros to zeros', [`${zero} ${zero} refs/heads/beta\0`]],
    ['upper case ids', [`${a.toUpperCase()} ${b} refs/heads/beta\0`]],
    ['ids of SHA-256', [`${a.padEnd(64, 'a')} ${b.padEnd(64, 'b')} refs/heads/beta\0`]],
    ['a short id', [`${a.slice(1)} ${b} refs/heads/beta\0`]],
    ['two spaces', [`${a}  ${b} refs/heads/beta\0`]],
    ['HEAD', [`${a} ${b} HEAD\0`]],
    ['a space after the ref', [`${a} ${b} refs/heads/beta \0`]],
    ['a line feed in a ref', [`${a} ${b} refs/heads/beta\n\0${capabilities}`]],
    ['two line feeds', [`${a} ${b} refs/heads/beta\n\n`]],
    ['a carriage return', [`${a} ${b} refs/heads/beta\r`]],
    ['a name in UTF-8', [`${a} ${b} refs/heads/b\xc3\xa9ta\0`]],
    ['capabilities on a later line', [first, `${zero} ${b} refs/tags/buf/v1.0.0\0 push-options`]],
    ['a NUL on a later line', [first, `${zero} ${b} refs/tags/buf/v1.0.0\0`]],
    ['two NULs', [`${a} ${b} refs/heads/beta\0 atomic\0 push-options`]],
    ['push options', [`${a} ${b} refs/heads/beta\0 push-options`]],
    ['another kind of object ids', [`${a} ${b} refs/heads/beta\0 object-format=sha256`]],
    ['a capability in upper case', [`${a} ${b} refs/heads/beta\0 ATOMIC`]],
    ['a certificate', [`push-cert\0${capabilities}`, 'certificate version 0.1']],
    ['a certificate later', [first, 'push-cert-end']],
    ['a shallow line that names nothing', ['shallow ', first]],
    ['a shallow line with a NUL', [`shallow ${a}\0`, first]],
    ['an empty line', ['\n']],
    ['an empty line later', [first, '\n']],
  ])('is refused with %s', (_name, lines) => {
    expect(() => parse(...lines)).toThrow(expect.objectContaining({ code: 'PUSH_INVALID' }));
  });

  it('has a limit', () => {
    const lines = Array.from({ length: 5_001 }, (_none, index) => `${zero} ${b} refs/tags/buf/v1.0.${index}`);

    expect(() => parse(...lines)).toThrow(expect.objectContaining({ code: 'PUSH_TOO_LARGE' }));
  });
});

describe('the packets of a request', () => {
  async function read(chunks: readonly Buffer[]) {
    const { packets, head, rest } = await readPktLines(Readable.from(chunks));
    const after: Buffer[] = [];
    for await (const chunk of rest) after.push(chunk);
    return { lines: packets.map(String), head, rest: Buffer.concat(after) };
  }

  it('are the same however they arrive, and nothing gets lost', async () => {
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 60, unit: 'binary-ascii' }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(texts, fc.uint8Array(), fc.array(fc.nat(200)), async (lines, pack, cuts) => {
        const head = Buffer.concat([...lines.map(packet), Buffer.from('0000')]);
        const all = Buffer.concat([head, pack]);
        const at = [0, ...cuts.map((cut) => cut % all.length), all.length].sort((one, other) => one - other);
        const chunks = at.slice(1).map((end, index) => all.subarray(at[index], end));

        const found = await read(chunks);

        expect(found.lines).toEqual(lines);
        expect(found.head).toEqual(head);
        expect(found.rest).toEqual(Buffer.from(pack));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['an end before the flush', '0008abcd', 'PUSH_INVALID'],
    ['half a length', '00', 'PUSH_INVALID'],
    ['nothing', '', 'PUSH_INVALID'],
    ['an empty packet', '00040000', 'PUSH_INVALID'],
    ['a packet of protocol v2', '00010000', 'PUSH_INVALID'],
    ['a length in upper case', '000Aabcdef0000', 'PUSH_INVALID'],
    ['a length with a sign', '+00aabcdef0000', 'PUSH_INVALID'],
    ['a packet that is too long', `fff0${'x'.repeat(0xfff0)}0000`, 'PUSH_INVALID'],
    ['packets without end', `03ec${'x'.repeat(1000)}`.repeat(2000), 'PUSH_TOO_LARGE'],
  ])('are refused with %s', async (_name, text, code) => {
    await expect(read([Buffer.from(text)])).rejects.toMatchObject({ code });
  });
});
