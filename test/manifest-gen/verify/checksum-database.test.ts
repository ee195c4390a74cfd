import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOfSetting, openNote, parseNoteKey } from '../../../manifest-gen/verify/checksum-database/note.ts';
import { DatabaseProof, proveSums } from '../../../manifest-gen/verify/checksum-database/proof.ts';
import { auditPath, entryHash, rootOf } from '../../../manifest-gen/verify/checksum-database/tree.ts';
import { treeHash } from '../../kit/sumdb.ts';

/** The example in golang.org/x/mod/sumdb/note. */
const neumann = {
  key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};

/** The name of Go's own database, and what it is called in sentences. */
const goName = ['sum', 'golang', 'org'].join('.');
const goKey = "Go's own checksum database";

describe('a signed note', () => {
  const key = parseNoteKey(neumann.key)!;

  it('is accepted with the key that signed it', () => {
    expect(openNote(`${neumann.text}\n${neumann.signature}`, key)).toBe(neumann.text);
    const stranger = `\u2014 Stranger ${neumann.signature.split(' ')[2]}`;
    expect(openNote(`${neumann.text}\n${stranger}${neumann.signature}`, key)).toBe(neumann.text);
  });

  it.each<[string, string]>([
    ['another text', `${neumann.text.replace('think', 'know')}\n${neumann.signature}`],
    ['more text', `More.\n${neumann.text}\n${neumann.signature}`],
    ['another name', `${neumann.text}\n${neumann.signature.replace('Neumann', 'Newman')}`],
    ['no signature', `${neumann.text}\n`],
    ['no empty line', `${neumann.text}${neumann.signature}`],
    ['a signature that is cut off', `${neumann.text}\n${neumann.signature.slice(0, -10)}`],
    ['nothing at all', ''],
  ])('with %s is not', (_, note) => {
    expect(openNote(note, key)).toBeUndefined();
  });

  it.each([
    [
      'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
      'an identifier that is not of the key',
    ],
    ['PeterNewman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'one that is not of the name'],
    ['PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'another algorithm'],
    ['PeterNeumann', 'a name alone'],
    ['', 'nothing'],
  ])('is not accepted with the key %s: %s', (text) => {
    expect(parseNoteKey(text)).toBeUndefined();
  });

  it.each([
    [undefined, goKey],
    ['', goKey],
    [goName, goKey],
    [`${goName} https://sums.example.test`, goKey],
    [['sum', 'golang', 'google', 'cn'].join('.'), goKey],
    ['golang.org', undefined],
    [neumann.key, 'PeterNeumann'],
    [`${neumann.key} https://sums.example.test`, 'PeterNeumann'],
    ['off', undefined],
    ['sums.example.test', undefined],
  ])('of the database that GOSUMDB=%j names is by %j', (setting, name) => {
    expect(keyOfSetting(setting)?.name).toBe(name);
  });
});

describe('a tree', () => {
  const entryOf = (id: number): Buffer => Buffer.from(`entry ${id}\n`);
  const tree = fc
    .integer({ min: 1, max: 600 })
    .chain((size) => fc.record({ size: fc.constant(size), id: fc.integer({ min: 0, max: size - 1 }) }));

  it('of any size has each entry, by the path that RFC 6962 defines', () => {
    fc.assert(
      fc.property(tree, ({ size, id }) => {
        const leaves = Array.from({ length: size }, (_, at) => entryHash(entryOf(at)));
        const path = auditPath({ size, id }, (first, count) => treeHash(leaves.slice(first, first + count)));
        expect(rootOf({ size, id }, entryOf(id), path)).toEqual(treeHash(leaves));
      }),
    );
  });

  it('has no other entry, nowhere else, and by no other path', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(255), ({ size, id }, at, bit) => {
        const leaves = Array.from({ length: size }, (_, one) => entryHash(entryOf(one)));
        const path = auditPath({ size, id }, (first, count) => treeHash(leaves.slice(first, first + count)));
        const root = treeHash(leaves);
        const elsewhere = (id + 1 + (at % size)) % size;
        expect(rootOf({ size, id }, entryOf(size), path)).not.toEqual(root);
        if (elsewhere !== id) expect(rootOf({ size, id: elsewhere }, entryOf(id), path)).not.toEqual(root);
        expect(rootOf({ size, id }, entryOf(id), [...path, root])).toBeUndefined();
        if (path.length === 0) return;
        expect(rootOf({ size, id }, entryOf(id), path.slice(1))).toBeUndefined();
        const bent = path.map((hash) => Buffer.from(hash));
        bent[at % path.length]![bit >> 3]! ^= 1 << (bit & 7);
        expect(rootOf({ size, id }, entryOf(id), bent)).not.toEqual(root);
      }),
    );
  });
});

describe("the public checksum database's own proof of three modules", () => {
  const file = join(import.meta.dirname, '..', '..', 'fixtures', 'sumdb', 'three-modules.json');
  const proof = DatabaseProof.parse(JSON.parse(readFileSync(file, 'utf8').replace('{name}', goName)));
  const key = keyOfSetting(undefined)!;

  it('is valid with the key that Go knows', () => {
    expect(proveSums(proof, key)).toEqual({
      sums: new Map([
        ['github.com/BurntSushi/toml@v1.3.2', 'h1:o7IhLm0Msx3BaB+n3Ag7L8EVlByGnpq14C4YWiu/gL8='],
        ['golang.org/x/text@v0.14.0', 'h1:ScX5w1eTa3QqT8oi6+ziP7dTV1S2+ALU0bI+0zXKWiQ='],
        ['rsc.io/quote@v1.5.2', 'h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y='],
      ]),
    });
  });

  it.each<[string, (text: string) => string]>([
    ['another sum', (text) => text.replace('h1:o7Ih', 'h1:o7Ii')],
    ['another size', (text) => text.replace('66398721', '66398722')],
    ['entries in each other’s place', (text) => text.replace('"id": 942', '"id": 943')],
    ['an entry beyond its end', (text) => text.replace('"id": 942', '"id": 942000000')],
  ])('is not valid with %s', (_, bend) => {
    const text = JSON.stringify(proof, null, 1);
    expect(bend(text)).not.toBe(text);
    expect(proveSums(JSON.parse(bend(text)), key)).toEqual({ problem: expect.any(String) });
  });

  it('is not valid under another name', () => {
    const renamed = { ...proof, head: proof.head.replace(goName, 'sum.example.test') };
    expect(proveSums(renamed, key)).toEqual({ problem: expect.stringContaining(`not signed by ${goKey}`) });
  });

  it('is not valid with another key', () => {
    expect(proveSums(proof, parseNoteKey(neumann.key)!)).toEqual({
      problem: expect.stringContaining('PeterNeumann'),
    });
  });
});
