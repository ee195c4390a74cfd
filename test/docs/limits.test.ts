import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules as bucketRules } from '../../server/bucket/rules.ts';
import { rules } from '../../server/feed/rules.ts';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs/operate/limits.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| '));
/** Of the first section they are those of packages, of another those of the bucket. */
const [ofPackages = '', ofBucket = ''] = page.split('### Its rules');

describe('the page about limits', () => {
  it('has every rule of publication in its own words, in order', () => {
    const told = [...ofPackages.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm)];

    expect(told.map(([, name, sentence]) => [name, sentence])).toEqual(
      rules.map(({ name, sentence }) => [name, sentence]),
    );
  });

  it('has every rule for pushes to the bucket, in order', () => {
    const told = [...ofBucket.matchAll(/^\| `([a-z\d-]+)` \| [^|]+ \|$/gm)].map(([, name]) => name);

    expect(told).toEqual(bucketRules.map(({ name }) => name));
  });

  it.each(
    rows.flatMap((row) =>
      [...row.matchAll(/`([^`]+)` in (\S+\.ts) \|/g)].map(([, code, file]) => [code, file]),
    ),
  )('is right about %s in %s', async (code = '', file = '') => {
    expect(await readFile(join(productDir, file), 'utf8')).toContain(code);
  });
});
