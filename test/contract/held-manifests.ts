import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeldManifest, HeldManifests } from '../../server/catalog/held-manifests.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with the manifests of held versions. */
export function describeHeldManifests(name: string, open: OpenFixture): void {
  describe(`held manifests in ${name}`, () => {
    let fixture: DatabaseFixture;
    let manifests: HeldManifests;
    beforeEach(async () => {
      fixture = await open();
      manifests = fixture.heldManifests();
    });
    afterEach(() => fixture.close());

    const make = (changes: Partial<HeldManifest> = {}): HeldManifest => ({
      tool: 'delve',
      version: '1.22.0',
      packageId: 'Delve',
      text: '{\n    "version": "1.22.0"\n}\n',
      message: 'delve: Update to version 1.22.0',
      ...changes,
    });
    const correction = make({ version: '1.22.0.1', message: 'why', corrects: '1.22.0' });

    it('keep every byte over a restart', async () => {
      const text = '{"ä": "\u{1f600}\\r\\n"}\r\n';
      expect(await manifests.put(make({ text }))).toBe('added');
      expect(await manifests.put(correction)).toBe('added');
      await fixture.reopen();

      const again = fixture.heldManifests();
      expect(await again.find('delve', '1.22.0')).toEqual(make({ text }));
      expect(await again.list('delve')).toEqual([make({ text }), correction]);
      expect(await again.list('buf')).toEqual([]);
      expect(await again.find('buf', '1.22.0')).toBeUndefined();
      expect(await again.find('delve', '1.22')).toBeUndefined();
    });

    it.each([
      ['text', { text: '{}\n' }],
      ['message', { message: 'another' }],
      ['package', { packageId: 'other' }],
      ['corrected version', { corrects: '1.21.0' }],
    ])('are put once: the same again is no change, another %s is refused', async (_what, change) => {
      await manifests.put(make());

      expect(await manifests.put(make())).toBe('same');
      expect(await manifests.put(make(change))).toBe('other');
      expect(await manifests.list('delve')).toEqual([make()]);
    });

    it('get another text in place of the one that was seen', async () => {
      await manifests.put(make());
      const { text } = make();

      expect(await manifests.replaceText('delve', '1.22.0', text, 'moved')).toBe('replaced');
      expect(await manifests.replaceText('delve', '1.22.0', text, 'late')).toBe('other');
      expect(await manifests.replaceText('delve', '1.23.0', text, 'moved')).toBe('other');
      expect(await manifests.list('delve')).toEqual([make({ text: 'moved' })]);
    });

    it('can be put anew once they are discarded', async () => {
      await manifests.put(make());

      expect(await manifests.discard('delve', '1.22.0')).toBe('discarded');
      expect(await manifests.discard('delve', '1.22.0')).toBe('missing');
      expect(await manifests.find('delve', '1.22.0')).toBeUndefined();
      expect(await manifests.put(make({ text: '{}\n' }))).toBe('added');
    });
  });
}
