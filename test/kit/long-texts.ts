import { join } from 'node:path';
import { operator } from '../../server/audit/audit.ts';
import { createSqlCatalog } from '../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../server/database/connection.ts';
import { makePackage } from './new-package.ts';

const sentence = 'This ordinary sentence says what the tool does, for whom it was made, and why. ';

/** A catalog of packages with long texts, in the data folder of a server that is started afterwards. */
export async function fillWithLongTexts(dataDir: string, count: number, characters: number): Promise<void> {
  const db = openDatabase(join(dataDir, 'catalog.db'));
  const catalog = createSqlCatalog(db, () => new Date('2026-01-01T00:00:00Z'));
  const long = (name: string) =>
    `${name} ${sentence.repeat(1 + characters / sentence.length)}`.slice(0, characters);
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      catalog.add(
        makePackage({
          id: `Tool${n}`,
          version: '1.0.0',
          title: `Tool number ${n}`,
          authors: long(`Author ${n}`),
          summary: long(`Summary ${n}`),
          description: long(`Tool ${n}`),
          tags: long(`tag${n}`).split(' '),
        }),
        operator,
      ),
    ),
  );
  await catalog.flush();
  db.close();
}
