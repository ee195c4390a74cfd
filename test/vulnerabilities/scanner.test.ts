import { describe, expect, it } from 'vitest';
import { ReleaseError } from '../../errors/release-error.ts';
import type { DatabaseTree } from '../../vulnerabilities/database.ts';
import { createScanner } from '../../vulnerabilities/scanner.ts';
import { makeUpstreamFixture } from '../kit/upstream-fixture.ts';

const module = 'example.test/tool';
const files: Readonly<Record<string, unknown>> = {
  'index/db': { modified: '2026-01-01T00:00:00Z' },
  'index/modules': [{ path: module, vulns: [{ id: 'GO-2026-0001', modified: '2026-01-01T00:00:00Z' }] }],
  'ID/GO-2026-0001': {
    schema_version: '1.3.1',
    id: 'GO-2026-0001',
    modified: '2026-01-01T00:00:00Z',
    affected: [
      {
        package: { name: module, ecosystem: 'Go' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
      },
    ],
  },
};

describe('a scanner', () => {
  it.each(['index/db', 'ID/GO-2026-0001'])(
    'asks again for %s that could not be read before',
    async (broken) => {
      let isBroken = true;
      const bundledDatabase: DatabaseTree = {
        url: 'bundle:',
        async read(endpoint) {
          if (isBroken && endpoint === broken) {
            throw new ReleaseError('VULN_DB_UNREACHABLE', {
              url: 'bundle:',
              cause: 'it is away for a moment',
            });
          }
          return JSON.stringify(files[endpoint]);
        },
      };
      const fixture = await makeUpstreamFixture();
      try {
        const scanner = await createScanner({
          ...fixture.settings,
          config: { vulnDb: undefined, policyFile: undefined },
          now: () => new Date(),
          bundledDatabase,
        });
        const scan = () => scanner?.scanModule({ path: module, version: '1.0.0' });
        await expect(scan()).rejects.toMatchObject({ code: 'VULN_DB_UNREACHABLE' });

        isBroken = false;

        expect((await scan())?.findings.map(({ id }) => id)).toEqual(['GO-2026-0001']);
      } finally {
        await fixture.stop();
      }
    },
  );
});
