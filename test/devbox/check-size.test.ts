import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

const script = join(productDir, 'devbox', 'templates', 'images', 'check-size');

/** Knows two images, as `docker image inspect` does. */
const docker = `#!/bin/sh
[ "$1 $2 $3 $4" = "image inspect --format {{.Size}}" ] || exit 64
case $5 in
  service) echo 25000001 ;;
  base) echo 25000000 ;;
  *) echo "Error: No such image: $5" >&2; exit 1 ;;
esac
`;

describe.skipIf(!hasProgram('sh'))('images/check-size (needs sh)', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    await mkdir(join(dir, 'bin'));
    await writeFile(join(dir, 'bin', 'docker'), docker);
    await chmod(join(dir, 'bin', 'docker'), 0o755);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const check = (...args: readonly string[]) =>
    run('sh', [script, ...args], {
      env: { PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH}` },
    });

  it.each([
    [['service', '26'], 0, 'service has 26 MB of 26 MB'],
    [['service', '26MB'], 0, 'service has 26 MB of 26 MB'],
    [['service', '25'], 1, 'service has 26 MB of 25 MB'],
    [['base', '25'], 0, 'base has 25 MB of 25 MB'],
    [['service', '1', 'base'], 0, 'service adds to base 1 MB of 1 MB'],
    [['service', '0', 'base'], 1, 'service adds to base 1 MB of 0 MB'],
  ])('judges %j: %i', async (args, code, said) => {
    const result = await check(...args);

    expect(result).toMatchObject({ code, stdout: `${said}\n` });
    if (code !== 0) expect(result.stderr).toContain('is larger than it may be');
  });

  it.each([
    [['service'], 2, 'usage:'],
    [['service', '25 MB'], 2, 'is no number of MB'],
    [['service', 'MB'], 2, 'is no number of MB'],
    [['other', '25'], 1, 'No such image: other'],
    [['service', '25', 'other'], 1, 'No such image: other'],
  ])('says what is wrong with %j', async (args, code, said) => {
    const result = await check(...args);

    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(said);
  });
});
