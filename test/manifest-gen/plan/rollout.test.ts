import { describe, expect, it } from 'vitest';
import { decideNextVersion } from '../../../manifest-gen/plan/next-version.ts';
import {
  nextCorrection,
  offeredAbove,
  takenBackBy,
  takenByRollouts,
} from '../../../manifest-gen/plan/rollout.ts';

describe('the next correction of a rollout', () => {
  it.each([
    ['1.22.0', [], '1.22.0.1-beta.1', '1.22.0.1'],
    ['1.22.0', ['1.22.0-beta.3', '1.21.0', '1.23.0-beta.1'], '1.22.0.1-beta.1', '1.22.0.1'],
    // somebody pushed a beta of that number
    ['1.22.0', ['1.22.0.1-beta.1'], '1.22.0.1-beta.2', '1.22.0.1'],
    // prepared anew
    ['1.22.0', ['1.22.0.1'], '1.22.0.2-beta.1', '1.22.0.2'],
    // a correction that is rolled out itself
    ['1.22.0.1', ['1.22.0', '1.22.0.1-beta.1'], '1.22.0.2-beta.1', '1.22.0.2'],
  ])('of %s beside %j is %s, then %s', (version, taken, firstBeta, stable) => {
    expect(nextCorrection(version, taken)).toEqual({ firstBeta, stable });
  });

  it('does not exist for a version of another scheme', () => {
    expect(nextCorrection('2024.1', [])).toBeUndefined();
  });
});

describe('what machines are offered above a version', () => {
  const packages = [
    { version: '1.21.0', isListed: true },
    { version: '1.24.0', isListed: false },
    { version: '1.25.0-beta.1', isListed: true },
  ];
  const rollout = { version: '1.22.0', correction: '1.22.0.1', counts: { admitted: 1 } };

  it.each([
    ['1.20.0', [], '1.21.0'],
    ['1.22.0', [], undefined],
    ['1.21.5', [{ ...rollout, state: 'superseded' }], '1.22.0'],
    ['1.21.5', [{ ...rollout, state: 'rolled-back' }], '1.22.0.1'],
    ['1.21.5', [{ ...rollout, state: 'rolled-back', correction: undefined }], undefined],
    // machines of a superseded rollout have its correction
    ['1.21.5', [{ ...rollout, state: 'rolled-back', counts: { admitted: 0 } }], '1.22.0.1'],
    ['1.21.5', [{ ...rollout, state: 'superseded', counts: { admitted: 0 } }], undefined],
    ['1.23.0', [{ ...rollout, state: 'rolled-back' }], undefined],
  ])('%s beside rollouts %j: %s', (version, rollouts, above) => {
    expect(offeredAbove(version, packages, rollouts)).toBe(above);
  });
});

describe('a beta with the last good bytes', () => {
  const back = { state: 'rolled-back', correction: '1.22.0.1' };

  it.each([
    ['1.22.0.1-beta.1', [back], true],
    ['1.22.0.1-beta.2', [{ state: 'completed', correction: undefined }, back], true],
    // made again, for a fault in our packaging
    ['1.22.0.2-beta.1', [back], false],
    ['1.22.0.10-beta.1', [back], false],
    ['1.23.0-beta.1', [back], false],
    ['1.22.0.1-beta.1', [{ ...back, state: 'rolling' }], false],
    ['1.22.0-beta.1', [{ state: 'rolled-back', correction: undefined }], false],
    [undefined, [back], false],
  ])('is %s beside %j: %s', (beta, rollouts, is) => {
    expect(takenBackBy(beta, rollouts) !== undefined).toBe(is);
  });
});

describe('a version that is made again', () => {
  const found = { kind: 'npm', upstream: 'x', fingerprint: 'x', offers: [] } as const;
  const recipe = { found, packaging: '3:x' };

  it.each([
    ['counts on after the numbers of a rollback', 'rolled-back', ['1.22.0.1-beta.1'], '1.22.0.2-beta.1'],
    ['keeps its number after a rejected rollout', 'rejected', [], '1.22.0-beta.2'],
  ])('%s', (_, state, more, version) => {
    const published = ['1.22.0-beta.1', ...more];
    const taken = takenByRollouts([{ version: '1.22.0', correction: '1.22.0.1', state }]);

    expect(decideNextVersion('1.22.0', published, undefined, recipe, true, taken)).toMatchObject({
      kind: 'new',
      version,
    });
  });
});
