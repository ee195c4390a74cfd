import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

it('has each code of an error in one table only, so that no sentence hides another', async () => {
  const dir = join(productDir, 'server', 'error-tables');
  const codes: string[] = [];
  for (const file of await readdir(dir)) {
    const tables = (await import(join(dir, file))) as Record<string, object>;
    codes.push(...Object.values(tables).flatMap((table) => Object.keys(table)));
  }
  expect(codes.length).toBeGreaterThan(100);
  expect(codes.filter((code, at) => codes.indexOf(code) !== at)).toEqual([]);
});
