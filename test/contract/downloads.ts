import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with who fetched what. */
export function describeDownloads(name: string, open: OpenFixture): void {
  describe(`downloads in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const openTable = () => fixture.downloads({ maxRows: 5, maxWaiting: 8 });
    const later = (ms: number): void => {
      fixture.time = new Date(fixture.time.getTime() + ms);
    };

    it('are one row per recipient, with first and last time, and durable', async () => {
      const downloads = openTable();
      const what = { id: 'Tool', version: '1.0.0' };
      downloads.note(what, { from: '10.0.0.1', client: 'choco' });
      later(1000);
      downloads.note(what, { from: '10.0.0.1', client: 'choco' });
      downloads.note(what, { from: '10.0.0.1', client: 'choco', keyName: 'ci' });
      await downloads.flush();
      later(1000);
      const again = openTable();
      again.note(what, { from: '10.0.0.1', client: 'choco' });

      expect(await again.list('tool')).toEqual([
        {
          ...what,
          from: '10.0.0.1',
          client: 'choco',
          count: 3,
          first: new Date('2026-01-01T00:00:00Z'),
          last: new Date('2026-01-01T00:00:02Z'),
        },
        expect.objectContaining({ keyName: 'ci', count: 1 }),
      ]);
    });

    it.each(['1.0.0', '1.0', '1', '1.0.0.0'])(
      'are found by the version in the spelling %s',
      async (version) => {
        const downloads = openTable();
        downloads.note({ id: 'tool', version: '1.0.0' }, {});
        downloads.note({ id: 'tool', version: '2.0.0' }, {});

        expect(await downloads.list('TOOL', version)).toMatchObject([{ version: '1.0.0' }]);
      },
    );

    it('distinguish a payload from a package of the same name', async () => {
      const downloads = openTable();
      downloads.note({ id: 'buf', version: '1.0.0' }, {});
      downloads.note({ id: 'buf', version: '1.0.0', file: 'buf-windows-amd64.exe' }, {});

      expect((await downloads.list('buf')).map(({ file }) => file).sort()).toEqual([
        'buf-windows-amd64.exe',
        undefined,
      ]);
    });

    it('drop the least recently updated rows when there are too many', async () => {
      const downloads = openTable();
      for (let n = 0; n < 7; n += 1) {
        later(1);
        downloads.note({ id: 'tool', version: `${n}.0.0` }, {});
        await downloads.flush();
      }

      expect((await downloads.list('tool')).map(({ version }) => version)).toEqual([
        '6.0.0',
        '5.0.0',
        '4.0.0',
        '3.0.0',
        '2.0.0',
      ]);
    });

    it('need limited memory between two writes', async () => {
      const downloads = fixture.downloads({ maxRows: 100, maxWaiting: 8 });
      for (let n = 0; n < 50; n += 1)
        downloads.note({ id: 'tool', version: '1.0.0' }, { client: `made up ${n}` });

      expect(await downloads.list('tool')).toHaveLength(8);
    });
  });
}
