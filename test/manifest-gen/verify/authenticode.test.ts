import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Tool } from '../../../manifest-gen/tool-file/tools.ts';
import { applyTrustFile } from '../../../manifest-gen/tool-file/trust-file.ts';
import { checkAuthenticode } from '../../../manifest-gen/verify/authenticode.ts';
import {
  type CodeSigner,
  hasCodeSigning,
  makeCodeSigner,
  makeSignableExe,
  type SignOptions,
} from '../../kit/code-signer.ts';
import { makeTinyExe } from '../../kit/exe.ts';
import { loadTools } from '../../kit/load-tools.ts';
import { bareExe, makeAsset, makeTool } from '../../kit/release-values.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const publisher = 'CN=Example, O="Example, Ltd", C=DE';
const day = 86_400_000;

describe('Authenticode of an exe', () => {
  it.each([
    ['an exe without room for one', makeTinyExe()],
    ['an exe without one', makeSignableExe()],
  ])('is absent from %s', async (_, exe) => {
    expect(await check(exe, undefined)).toMatchObject({
      verdict: 'absent',
      subject: 'gdg-windows-amd64.exe',
    });
  });

  it.each<[string, Buffer]>([
    ['beyond the end of the file', signedBy(Buffer.alloc(0), 512)],
    ['of nothing but zeros', signedBy(Buffer.alloc(64))],
    ['with no length', signedBy(entry(Buffer.from('3080', 'hex')))],
    ['of something that is no signature', signedBy(entry(Buffer.from('3003020101', 'hex')))],
    ['of nothing that is ASN.1', signedBy(entry(Buffer.from('3005ffffffffff', 'hex')))],
  ])('is refused with a table %s', async (_, exe) => {
    expect(await check(exe, undefined)).toMatchObject({
      verdict: 'failed',
      expected: expect.any(String),
      found: expect.any(String),
    });
  });
});

describe.skipIf(!hasCodeSigning)('Authenticode by the real osslsigncode (needs openssl)', () => {
  let signer: CodeSigner;
  let trust: { publisher: string; roots: string };
  let signed: Buffer;
  const exe = makeSignableExe({ module: { path: 'example.test/gadget', version: 'v1.2.3' } });

  beforeAll(async () => {
    signer = await makeCodeSigner();
    trust = { publisher, roots: signer.roots };
    signed = await signer.sign(exe);
  });

  it('passes when the named publisher signed it under a trusted root', async () => {
    expect(await check(signed, trust)).toEqual({
      kind: 'authenticode',
      verdict: 'passed',
      subject: 'gdg-windows-amd64.exe',
      detail: `It is signed (sha256) by ${publisher}.`,
    });
  });

  it('is absent when the tool names nobody to trust, unless the exe was changed', async () => {
    const changed = Buffer.from(signed);
    changed[0x420]! ^= 1;

    expect(await check(signed, undefined)).toMatchObject({ verdict: 'absent' });
    expect(await check(changed, undefined)).toMatchObject({
      verdict: 'failed',
      expected: expect.stringMatching(/as signed/),
    });
  });

  it('ends with its certificate, unless a timestamp says that it was made before', async () => {
    const later = new Date(Date.now() + 200 * day);
    const stamped = await signer.sign(exe, { stampedBy: 'tsa' });

    expect(await check(signed, trust, later)).toMatchObject({
      verdict: 'failed',
      found: expect.stringMatching(/expired/),
    });
    expect(await check(stamped, trust, later)).toMatchObject({
      verdict: 'passed',
      detail: expect.stringContaining('with a timestamp'),
    });
  });

  it.each<[string, SignOptions, RegExp]>([
    ['another publisher', { who: 'other' }, /CN=Other/],
    ['a certificate for something else', { who: 'server' }, /something else/],
    ['a certificate that has ended', { who: 'ended' }, /expired/],
    ['the same name under a stranger root', { who: 'stranger' }, /No valid certificate paths/],
    ['SHA-1 alone', { hash: 'sha1' }, /weaker hash/],
  ])('fails when it is by %s', async (_, options, found) => {
    const verdict = await check(await signer.sign(exe, options), trust);

    expect(verdict).toMatchObject({ verdict: 'failed', expected: expect.any(String) });
    expect(verdict.found).toMatch(found);
  });

  it('accepts SHA-384, and SHA-256 beside SHA-1 for old Windows', async () => {
    const dual = await signer.sign(await signer.sign(exe, { hash: 'sha1' }), { isNested: true });

    expect(await check(await signer.sign(exe, { hash: 'sha384' }), trust)).toMatchObject({
      verdict: 'passed',
    });
    expect(await check(dual, trust)).toMatchObject({ verdict: 'passed' });
  });

  it.each<[string, SignOptions, RegExp]>([
    ['by another publisher', { who: 'other' }, /CN=Other/],
    ['under a stranger root', { who: 'stranger' }, /No valid certificate paths/],
  ])('fails when a nested signature is %s', async (_, options, found) => {
    const verdict = await check(await signer.sign(signed, { ...options, isNested: true }), trust);

    expect(verdict.verdict).toBe('failed');
    expect(verdict.found).toMatch(found);
  });

  it('fails when bytes are added after it or hidden in its padding', async () => {
    const hidden = Buffer.from(signed);
    hidden.writeUInt32LE(hidden.readUInt32LE(entryAt + 4) + 8, entryAt + 4);

    for (const bytes of [
      Buffer.concat([signed, Buffer.alloc(8)]),
      Buffer.concat([hidden, Buffer.from('payload!')]),
      signed.subarray(0, -8),
    ]) {
      expect((await check(bytes, trust)).verdict).toBe('failed');
    }
  });

  it('has its roots read with the tool, from beside its file or TRUST_FILE', async () => {
    const named = (roots: string) =>
      `{ require: [authenticode], authenticode: { publisher: 'CN=Example', roots: ${roots} } }`;
    const toolFile = (trust: string) => `tool: hello
command: hello
first: 1.0.0
sources: [{ kind: npm, packages: { amd64: hello-x64 }, member: package/hello.exe }]
module: [{ path: example.test/hello }]
trust: ${trust}
`;
    const dir = await makeTempDir();
    const [toolPath, trustPath] = [join(dir, 'hello.yaml'), join(dir, 'trust.yaml')];
    await writeFile(join(dir, 'root.pem'), signer.roots);
    await writeFile(toolPath, toolFile(named('root.pem')));
    const [tool] = await loadTools(dir);
    expect(tool?.trust.authenticode).toEqual({ publisher: 'CN=Example', roots: signer.roots });

    await writeFile(toolPath, toolFile('{ require: [] }'));
    const tools = await loadTools(dir);
    const read = async (roots: string) => {
      await writeFile(trustPath, `hello: ${named(roots)}\n`);
      return applyTrustFile(tools, trustPath);
    };
    await mkdir(join(dir, 'roots'));
    await writeFile(join(dir, 'roots', 'ca.pem'), signer.roots);
    await writeFile(join(dir, 'none.pem'), 'nothing\n');

    expect((await read('roots/ca.pem'))[0]?.trust.authenticode?.roots).toBe(signer.roots);
    await expect(read('missing.pem')).rejects.toMatchObject({ code: 'TOOL_FILE_INVALID' });
    await expect(read('none.pem')).rejects.toThrow(/has no certificate/);
  });

  it('never passes with a flipped bit of the program, except for the checksum that nothing covers', async () => {
    const tableAt = signed.readUInt32LE(entryAt);
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * tableAt - 1), async (bit) => {
        fc.pre(Math.floor(bit / 32) !== checksumAt / 4);
        const changed = Buffer.from(signed);
        changed[bit >> 3]! ^= 1 << (bit & 7);

        expect((await check(changed, trust)).verdict).not.toBe('passed');
      }),
    );
  });

  it('gives a verdict, never an exception, when any element of it has another type', async () => {
    const tableAt = signed.readUInt32LE(entryAt);
    const tags = tagsOf(signed.subarray(tableAt + 8));
    expect(tags.length).toBeGreaterThan(100);
    for (const at of tags) {
      for (const type of [octetString, sequence, untyped]) {
        const changed = Buffer.from(signed);
        changed[tableAt + 8 + at] = type;

        if (!changed.equals(signed)) expect((await check(changed, trust)).verdict).not.toBe('absent');
      }
    }
  });

  it('is refused or absent, never an exception, whatever its own bytes are', async () => {
    const tableAt = signed.readUInt32LE(entryAt);
    const change = fc.tuple(fc.integer({ min: tableAt, max: signed.length - 1 }), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const changed = Buffer.from(signed);
        for (const [at, value] of changes) changed[at] = value;

        expect(['passed', 'failed', 'absent']).toContain((await check(changed, trust)).verdict);
      }),
    );
  });
});

const octetString = 0x04;
const sequence = 0x30;
/** Of the class that says what it is by its place alone. */
const untyped = 0x80;
const isConstructed = 0x20;

/** Where the tag of every element of a DER value stands. */
function tagsOf(der: Buffer, from = 0, end = 1): readonly number[] {
  const tags: number[] = [];
  for (let at = from; at < end; ) {
    const { length, bytes } = lengthAt(der, at);
    const content = at + 1 + bytes;
    tags.push(at);
    if ((der[at]! & isConstructed) !== 0) tags.push(...tagsOf(der, content, content + length));
    at = content + length;
  }
  return tags;
}

function lengthAt(der: Buffer, at: number): { readonly length: number; readonly bytes: number } {
  const first = der[at + 1]!;
  if (first < 0x80) return { length: first, bytes: 1 };
  return { length: der.readUIntBE(at + 2, first - 0x80), bytes: 1 + first - 0x80 };
}

/** The directory entry that names the table, and the checksum, in the headers of the small exe. */
const entryAt = 0x98 + 112 + 32;
const checksumAt = 0x98 + 64;

function entry(der: Buffer): Buffer {
  const filled = Math.ceil(der.length / 8) * 8;
  const bytes = Buffer.alloc(8 + filled);
  bytes.writeUInt32LE(8 + der.length, 0);
  bytes.writeUInt16LE(0x0200, 4);
  bytes.writeUInt16LE(2, 6);
  der.copy(bytes, 8);
  return bytes;
}

/** The small exe with a table at its end; `claimed` is its length by the header. */
function signedBy(table: Buffer, claimed = table.length): Buffer {
  const exe = makeSignableExe();
  exe.writeUInt32LE(exe.length, 0x98 + 112 + 32);
  exe.writeUInt32LE(claimed, 0x98 + 112 + 36);
  return Buffer.concat([exe, table]);
}

async function check(
  bytes: Buffer,
  authenticode: { publisher: string; roots: string } | undefined,
  now = new Date(),
) {
  const asset = await makeAsset(bytes);
  const tool: Tool = makeTool();
  const trusting = {
    ...tool,
    trust: { ...tool.trust, ...(authenticode === undefined ? {} : { authenticode }) },
  };
  return checkAuthenticode(trusting, bareExe(asset), now);
}
