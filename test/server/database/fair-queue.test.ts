import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue, type Waiter } from '../../../server/database/fair-queue.ts';

type Named = Waiter & { readonly name: string };
const waiter = (name: string, isQuick = true): Named => ({ name, isQuick, from: name.charAt(0) });

describe('turns', () => {
  it.each([
    { waiting: ['a1', 'a2', 'a3', 'b1'], served: ['a1', 'b1', 'a2', 'a3'] },
    { waiting: ['a1', 'a2', 'b1', 'b2', 'c1'], served: ['a1', 'b1', 'c1', 'a2', 'b2'] },
    { waiting: ['a1'], served: ['a1'] },
    { waiting: [], served: [] },
  ])('rotate: $waiting', ({ waiting, served }) => {
    const turns = createFairQueue<Named>(10);
    for (const name of waiting) expect(turns.add(waiter(name))).toBeUndefined();
    expect(waiting.map(() => turns.next()?.name)).toEqual(served);
    expect(turns.next()).toBeUndefined();
  });

  it('come no sooner to one who asks again after each answer', () => {
    const turns = createFairQueue<Named>(10);
    for (const name of ['a1', 'b1', 'b2', 'b3']) turns.add(waiter(name));
    const served: (string | undefined)[] = [];
    for (let n = 2; n < 6; n += 1) {
      served.push(turns.next()?.name);
      if (served.at(-1)?.startsWith('a')) turns.add(waiter(`a${n}`));
    }
    expect(served).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('come to quick ones first', () => {
    const turns = createFairQueue<Named>(10);
    for (const [name, isQuick] of [
      ['a1', false],
      ['b1', true],
      ['c1', true],
    ] as const)
      turns.add(waiter(name, isQuick));
    expect([turns.next()?.name, turns.next()?.name, turns.next()?.name]).toEqual(['b1', 'c1', 'a1']);
  });

  it.each([
    { waiting: ['a1', 'a2', 'a3'], comes: 'b1', refused: 'a3' },
    { waiting: ['a1', 'a2', 'a3'], comes: 'a4', refused: 'a4' },
    { waiting: ['a1', 'a2', 'b1'], comes: 'b2', refused: 'b2' },
    { waiting: ['a1', 'b1', 'c1'], comes: 'd1', refused: 'd1' },
  ])('are limited to the available places: $waiting, then $comes', ({ waiting, comes, refused }) => {
    const turns = createFairQueue<Named>(3);
    for (const name of waiting) turns.add(waiter(name));
    expect(turns.add(waiter(comes))?.name).toBe(refused);
  });

  it('leave places for everybody, whatever one of them does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.array(fc.constantFrom('a', 'b', 'c', 'next'), { maxLength: 60 }),
        (max, steps) => {
          const turns = createFairQueue<Named>(max);
          let waiting: Named[] = [];
          for (const [n, step] of steps.entries()) {
            if (step === 'next') {
              const served = turns.next();
              expect(waiting.length === 0).toBe(served === undefined);
              waiting = waiting.filter((one) => one !== served);
              continue;
            }
            const added = waiter(`${step}${n}`);
            const refused = turns.add(added);
            waiting = [...waiting, added].filter((one) => one !== refused);
            expect(waiting.length).toBeLessThanOrEqual(max);
            // whoever is refused waits for as much as anybody else, or for more
            const count = (from: string) => waiting.filter((one) => one.from === from).length;
            for (const from of ['a', 'b', 'c'])
              if (refused !== undefined) expect(count(from)).toBeLessThanOrEqual(count(refused.from) + 1);
          }
          expect(
            turns
              .clear()
              .map(({ name }) => name)
              .sort(),
          ).toEqual(waiting.map(({ name }) => name).sort());
        },
      ),
    );
  });
});
