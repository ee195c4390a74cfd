import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSignedExe } from '../../../manifest-gen/verify/authenticode-file.ts';
import { makeSignableExe } from '../../kit/code-signer.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const optionalAt = 0x98;
const checksumAt = optionalAt + 64;
const entryAt = optionalAt + 112 + 32;
const headersEnd = entryAt + 8;
const table = Buffer.from('0d000000000202003003020101000000', 'hex');

/** Headers that end with the entry that names the table, no sections, and the table. */
function headersAlone(tableAt: number): Buffer {
  const head = makeSignableExe().subarray(0, headersEnd);
  head.writeUInt16LE(0, 0x86); // sections
  head.writeUInt16LE(headersEnd - optionalAt, 0x94);
  head.writeUInt32LE(5, optionalAt + 108); // data directories
  const exe = Buffer.concat([head, table]);
  exe.writeUInt32LE(tableAt, entryAt);
  exe.writeUInt32LE(exe.length - tableAt, entryAt + 4);
  return exe;
}

async function read<T>(exe: Buffer, use: (signed: Awaited<ReturnType<typeof readSignedExe>>) => T) {
  const path = join(await makeTempDir(), 'x.exe');
  await writeFile(path, exe);
  const file = await open(path);
  try {
    return await use(await readSignedExe(path, file));
  } finally {
    await file.close();
  }
}

it('covers all but checksum, entry and table, with nothing between the last two', async () => {
  const exe = headersAlone(headersEnd);
  const covered = Buffer.concat([exe.subarray(0, checksumAt), exe.subarray(checksumAt + 4, entryAt)]);

  const digest = await read(exe, (signed) => signed?.digest('sha256'));

  expect(digest).toEqual(createHash('sha256').update(covered).digest());
});

it.each([
  ['that names it', entryAt],
  ['before it', 64],
])('is invalid where its table begins with the header %s', async (_, tableAt) => {
  await expect(read(headersAlone(tableAt), (signed) => signed)).rejects.toMatchObject({
    name: 'Fault',
    found: 'a table of signatures that lies within the program',
  });
});
