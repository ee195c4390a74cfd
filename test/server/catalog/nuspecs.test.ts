import { describe, expect, it } from 'vitest';
import { createNuspecs } from '../../../server/catalog/nuspecs.ts';

function stored(version: string, description: string): string {
  return JSON.stringify({
    id: 'delve',
    version,
    authors: 'somebody',
    description,
    tags: [],
    dependencies: [],
  });
}

describe('nuspecs', () => {
  it('are one object for versions with equal texts, and are read once', () => {
    const texts = [stored('1.0.0', 'same'), stored('1.1.0', 'same'), stored('1.2.0', 'other')];
    const read: number[] = [];
    const nuspecs = createNuspecs((pk) => {
      read.push(pk);
      return texts[pk] ?? '';
    });
    expect(nuspecs.of(1)).toBe(nuspecs.of(0));
    expect(nuspecs.of(2)).toMatchObject({ description: 'other', authors: 'somebody' });
    expect(nuspecs.of(0)).not.toHaveProperty('version');
    expect(read).toEqual([1, 0, 2]);
  });

  it('are dropped when many others were requested since, unless they are in use', () => {
    const long = 'x'.repeat(100_000);
    const read: number[] = [];
    const nuspecs = createNuspecs((pk) => {
      read.push(pk);
      return stored('1.0.0', `${pk} ${long}`);
    });
    for (let pk = 0; pk < 100; pk += 1) {
      expect(nuspecs.of(pk)).toMatchObject({ description: `${pk} ${long}` });
      nuspecs.of(0);
    }
    expect(read.filter((pk) => pk === 0)).toHaveLength(1);
    nuspecs.of(1);
    expect(read.filter((pk) => pk === 1)).toHaveLength(2);
  });
});
