import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { Payload } from '../../server/catalog/payloads.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with payloads. */
export function describePayloads(name: string, open: OpenFixture): void {
  describe(`payloads in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const payload: Payload = {
      tool: 'delve',
      version: '1.22.0',
      file: 'dlv-windows-amd64.exe',
      sha256: 'a'.repeat(64),
      sizeBytes: 5_000_000_000,
      created: new Date('2026-01-02T03:04:05.678Z'),
    };

    it('returns what was added, also after reopening', async () => {
      expect(await fixture.payloads().add(payload, operator)).toBe('added');
      await fixture.reopen();

      expect(await fixture.payloads().find('delve', '1.22.0', payload.file)).toEqual(payload);
    });

    it('accepts the same bytes again and refuses other bytes', async () => {
      const payloads = fixture.payloads();
      await payloads.add(payload, operator);

      expect(await payloads.add({ ...payload, created: new Date() }, operator)).toBe('same');
      expect(await payloads.add({ ...payload, sha256: 'b'.repeat(64) }, operator)).toBe('differs');

      expect(await payloads.find('delve', '1.22.0', payload.file)).toEqual(payload);
    });

    it('matches names exactly', async () => {
      const payloads = fixture.payloads();
      await payloads.add(payload, operator);

      expect(await payloads.find('Delve', '1.22.0', payload.file)).toBeUndefined();
      expect(await payloads.find('delve', '1.22', payload.file)).toBeUndefined();
      expect(await payloads.find('delve', '1.22.0', 'dlv-windows-arm64.exe')).toBeUndefined();
    });

    it('lists the files of one version by name', async () => {
      const payloads = fixture.payloads();
      for (const file of ['c.exe', 'a.exe', 'b.exe']) await payloads.add({ ...payload, file }, operator);
      await payloads.add({ ...payload, version: '1.23.0' }, operator);

      const files = await payloads.list('delve', '1.22.0');

      expect(files.map(({ file }) => file)).toEqual(['a.exe', 'b.exe', 'c.exe']);
      expect(await payloads.list('delve', '9.9.9')).toEqual([]);
    });

    it('writes a new one into the audit log, once', async () => {
      const payloads = fixture.payloads();
      await payloads.add(payload, operator);
      await payloads.add(payload, operator);
      await payloads.add({ ...payload, sha256: 'b'.repeat(64) }, operator);

      const { tool: subject, version, file, sha256: digest } = payload;
      expect(await fixture.audit().list({ limit: 10 })).toMatchObject([
        { change: { kind: 'payload added', subject, version, file, digest }, by: operator },
      ]);
    });

    it('adds one of many that come at once', async () => {
      const payloads = fixture.payloads();

      const answers = await Promise.all(Array.from({ length: 8 }, () => payloads.add(payload, operator)));

      expect(answers.toSorted()).toEqual(['added', ...Array(7).fill('same')]);
      expect(await payloads.totalBytes()).toBe(payload.sizeBytes);
    });
  });
}
