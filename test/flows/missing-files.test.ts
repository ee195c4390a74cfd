import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createConformance } from '../../conformance/command.ts';
import type { Invocation } from '../../invocation.ts';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { createCommand as createBucketCheck } from '../../server/verbs/bucket-check.ts';
import { createCommand as createExport } from '../../server/verbs/export.ts';
import { createCommand as createImport } from '../../server/verbs/import.ts';
import { createCommand as createRestore } from '../../server/verbs/restore.ts';
import { createCommand as createVerify } from '../../server/verbs/verify.ts';
import { makeGenerator } from '../kit/generator.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { makeStockedDir } from '../kit/stocked-feed.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

const conformance = (invocation: Invocation): Command => createConformance(invocation);
const feed = `${nowhere}/nuget`;

describe('a named file that cannot be read', () => {
  let dir: string;
  let stocked: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    stocked = await makeStockedDir(await makeTempDir());
    await writeFile(join(dir, 'file'), '');
  });

  it.each([
    [
      createRestore,
      ['nope.tgz'],
      'FILE_MISSING',
      2,
      /nope\.tgz cannot .*: it is not there\. Expected .*path/,
    ],
    [createVerify, [], 'NO_FEED', 1, /catalog\.db .*\(it is not there\)\. Set DATA_DIR/],
    [createImport, ['nope'], 'PLACE_MISSING', 2, /nope: it is not there\. Expected a folder .*feed/],
    [createImport, ['file'], 'PLACE_MISSING', 2, /file: it is a file\. Expected a folder/],
    [
      createImport,
      [feed, '--user', 'x', '--password-file', 'nope'],
      'PASSWORD_MISSING',
      2,
      /nope .*: it is not there\. Expected/,
    ],
    [conformance, [feed, '--api-key-file', 'nope'], 'SECRET_MISSING', 2, /nope of --api-key-file .*there\.$/],
    [createBucketCheck, ['nope'], 'BUCKET_MISSING', 2, /nope cannot .*: it is not there\. Expected/],
  ] as const)('ends %o %j with %s and exit %i', async (verb, args, code, exitCode, sentence) => {
    const said = await runVerb(verb, dir, ...args);
    expect(said).toMatchObject({ code: exitCode, error: { code } });
    expect(said.error?.message).toMatch(sentence);
    expect(said.error?.message).not.toMatch(/ENOENT/);
  });

  it.each([
    [createBackup, ['no/backup.tar'], /backup\.tar cannot be used: the folder .*no: it is not there\.$/],
    [createExport, ['file/export'], /export cannot be used: a part of its path is no folder\.$/],
  ] as const)('or written: %o %j', async (verb, args, sentence) => {
    const said = await runVerb(verb, stocked, ...args.map((name) => join(dir, name)));
    expect(said).toMatchObject({ code: 1, error: { code: 'FILE_UNUSABLE' } });
    expect(said.error?.message).toMatch(sentence);
  });

  it('is named by a release that takes a bundle', async () => {
    const generator = await makeGenerator({
      BUNDLE_KEY: 'RWQ/i9xseZwBVE7pEniCNjlNOeeyp4BQgdZDLQcAohxEAH5Uj5DEKjv6',
    });
    try {
      const said = await generator.run('release:beta', ['--from', 'nope.tar']);
      expect(said.exitCode).toBe(2);
      expect(said.stderr).toMatch(/The bundle .*nope\.tar cannot be read: it is not there\./);
    } finally {
      await generator.stop();
    }
  });

  it.skipIf(process.platform !== 'linux')('stops an export where no folder can be made', async () => {
    const said = await runVerb(createExport, stocked, '/proc/nope/export');
    expect(said).toMatchObject({ code: 1, error: { code: 'FILE_UNUSABLE' } });
  });
});
