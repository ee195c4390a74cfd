import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minisignKeyId, verifyMinisign } from '../../formats/minisign.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { makeMinisignSigner } from '../kit/signer.ts';

const message = Buffer.from('checksums\n');
const signer = makeMinisignSigner();

describe('a minisign signature', () => {
  it.each(['Ed', 'ED'] as const)('by a trusted key is good (%s)', (algorithm) => {
    const signature = signer.sign(message, { algorithm, trustedComment: 'sums of 1.2.3' });

    const outcome = verifyMinisign(message, signature, [
      'RWnonsense',
      makeMinisignSigner().publicKey,
      signer.publicKey,
    ]);

    expect(outcome).toEqual({ outcome: 'good', keyId: signer.keyId, trustedComment: 'sums of 1.2.3' });
  });

  it('by a key that is not trusted is bad, and names the key', () => {
    const stranger = makeMinisignSigner();

    const outcome = verifyMinisign(message, stranger.sign(message), [signer.publicKey]);

    expect(outcome).toEqual({
      outcome: 'bad',
      keyId: stranger.keyId,
      problem: `signed by the unknown key ${stranger.keyId}`,
    });
  });

  it('by a stranger who reused the key id is bad', () => {
    const lines = makeMinisignSigner().sign(message).split('\n');
    const forged = Buffer.from(lines[1]!, 'base64');
    Buffer.from(signer.keyId, 'hex').reverse().copy(forged, 2);
    lines[1] = forged.toString('base64');

    expect(verifyMinisign(message, lines.join('\n'), [signer.publicKey])).toMatchObject({ outcome: 'bad' });
  });

  it('of another file is bad', () => {
    const outcome = verifyMinisign(Buffer.from('other'), signer.sign(message), [signer.publicKey]);

    expect(outcome).toMatchObject({ outcome: 'bad', problem: 'the signature is not of this file' });
  });

  it('with another trusted comment is bad', () => {
    const changed = signer.sign(message, { trustedComment: 'version 1' }).replace('version 1', 'version 2');

    const outcome = verifyMinisign(message, changed, [signer.publicKey]);

    expect(outcome).toMatchObject({ outcome: 'bad', problem: 'the trusted comment was changed' });
  });

  it('with any byte changed is bad, whatever the byte', () => {
    const good = signer.sign(message);
    const start = good.indexOf('\n') + 1; // the untrusted comment is just that
    fc.assert(
      fc.property(fc.nat(good.length - start - 2), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const index = start + at;
        fc.pre(good[index] !== '\n' && good.charCodeAt(index) !== code);
        const bad = good.slice(0, index) + String.fromCharCode(code) + good.slice(index + 1);

        expect(verifyMinisign(message, bad, [signer.publicKey]).outcome).toBe('bad');
      }),
    );
  });

  it.each(['', 'RW', '<html>', 'untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n'])(
    'that is invalid is bad: %j',
    (text) => {
      expect(verifyMinisign(message, text, [signer.publicKey])).toEqual({
        outcome: 'bad',
        problem: 'not a minisign signature',
      });
    },
  );

  it("names buf's key as minisign does (spec upstream 1.3)", () => {
    expect(minisignKeyId('RWQ/i9xseZwBVE7pEniCNjlNOeeyp4BQgdZDLQcAohxEAH5Uj5DEKjv6')).toBe(
      '54019C796CDC8B3F',
    );
  });
});

describe.skipIf(!hasProgram('minisign'))('the real minisign (needs minisign)', () => {
  it.each([
    ['prehashed', '-H'],
    ['legacy', '-l'],
  ])('makes signatures that are good here (%s)', async (_, flag) => {
    const dir = await mkdtemp(join(tmpdir(), 'minisign-'));
    await writeFile(join(dir, 'sums'), message);
    const files = ['-p', 'key.pub', '-s', 'key.sec'];
    await mustRun('minisign', ['-G', '-W', ...files], { cwd: dir });
    await mustRun('minisign', ['-S', flag, ...files, '-m', 'sums', '-t', 'sums of 1.2.3'], { cwd: dir });
    const publicKey = (await readFile(join(dir, 'key.pub'), 'utf8')).split('\n')[1]!;
    const signature = await readFile(join(dir, 'sums.minisig'), 'utf8');

    expect(verifyMinisign(message, signature, [publicKey])).toMatchObject({
      outcome: 'good',
      trustedComment: 'sums of 1.2.3',
    });
    expect(verifyMinisign(Buffer.from('other'), signature, [publicKey])).toMatchObject({ outcome: 'bad' });
  });

  it.each(['Ed', 'ED'] as const)('takes the signatures of the test kit (%s)', async (algorithm) => {
    const dir = await mkdtemp(join(tmpdir(), 'minisign-'));
    await writeFile(join(dir, 'sums'), message);
    await writeFile(join(dir, 'sums.minisig'), signer.sign(message, { algorithm }));

    const said = await mustRun('minisign', ['-V', '-P', signer.publicKey, '-m', 'sums'], { cwd: dir });

    expect(said).toContain('Signature and comment signature verified');
  });
});
