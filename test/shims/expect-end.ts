import { expect } from 'vitest';
import { heard, type Outcome } from './fixture.ts';
import type { Vector } from './vectors.ts';

/** How paths are written where the form runs: a place of the fixture, and folders of it joined as in PATH. */
type Spelling = {
  readonly at: (place: string) => string;
  readonly pathOf: (folders: readonly string[] | undefined) => string;
};

/** What a vector's call with the arguments `version`, `a b` must come to, the same in every form. */
export function expectEnd(result: Outcome, vector: Vector, { at, pathOf }: Spelling): void {
  const { ends, says = () => [], childPath = vector.path } = vector;
  if (typeof ends === 'number') {
    expect({ code: result.code, stdout: result.stdout.toString() }, result.stderr).toEqual({
      code: ends,
      stdout: '',
    });
  } else {
    const { exe, args, env } = heard(result);
    expect({ exe, args, code: result.code }, result.stderr).toEqual({
      exe: at(ends),
      args: ['version', 'a b'],
      code: 0,
    });
    expect(env.PATH).toBe(pathOf(childPath));
    expect(result.stderr).toBe('');
  }
  for (const text of says(at)) expect(result.stderr).toContain(text);
}
