import { describe, expect, it } from 'vitest';
import { fail } from '../../../errors/release-error.ts';
import {
  findNewest,
  findVersion,
  has,
  orNameOthers,
  type SourceChoice,
} from '../../../manifest-gen/sources/find-source.ts';
import type { Upstream } from '../../../manifest-gen/sources/upstream.ts';
import { makeFound, makeTool } from '../../kit/release-values.ts';

const tool = makeTool();

describe('orNameOthers', () => {
  it('names the sources that would work, also when only the download fails', async () => {
    const rest = [source('npm', []), source('go-module', ['1.0.0'])];
    const cause = { tool: 'gadget', version: '1.0.0', kind: 'github', cause: 'no route', hint: '' };
    const download = async () => fail('SOURCE_UNREACHABLE', cause);

    await expect(orNameOthers(rest, download, (other) => has(other, tool, '1.0.0'))).rejects.toMatchObject({
      exitCode: 4,
      hint: 'Try again later, or use another source: `--source go-module` would do.',
    });
  });
});

describe('findVersion', () => {
  it('takes the first source that has it', async () => {
    const found = await findVersion(
      tool,
      '1.0.0',
      choose(source('github', ['1.0.0']), source('go-module', ['1.0.0'])),
    );

    expect(found.kind).toBe('github');
  });

  it('goes on when a source lacks it', async () => {
    const found = await findVersion(
      tool,
      '1.0.0',
      choose(source('github', []), source('go-module', ['1.0.0'])),
    );

    expect(found.kind).toBe('go-module');
  });

  it('says what each source lacks when none has it', async () => {
    await expect(
      findVersion(tool, '1.0.0', choose(source('github', []), source('npm', []))),
    ).rejects.toMatchObject({
      code: 'VERSION_UNKNOWN',
      exitCode: 1,
      message: 'gadget has no version 1.0.0 upstream (github: no 1.0.0; npm: no 1.0.0).',
    });
  });

  it('stops when a source cannot be reached, and names those that would work', async () => {
    const choice = {
      ...choose(source('github', 'unreachable'), source('npm', [])),
      others: [source('go-module', ['1.0.0'])],
    };

    await expect(findVersion(tool, '1.0.0', choice)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      exitCode: 4,
      hint: expect.stringContaining('`--source go-module` would do'),
    });
  });

  it('says so when no other source would work', async () => {
    const choice = choose(source('github', 'unreachable'), source('go-module', 'unreachable'));

    await expect(findVersion(tool, '1.0.0', choice)).rejects.toMatchObject({
      hint: expect.stringContaining('no other source'),
    });
  });

  it('skips an unreachable source for start alone, and never a refusal', async () => {
    const last = source('go-module', ['1.0.0']);
    const start = { isUnreachableSkipped: true };

    const found = await findVersion(tool, '1.0.0', {
      ...choose(source('github', 'unreachable'), last),
      ...start,
    });

    expect(found.kind).toBe('go-module');
    await expect(
      findVersion(tool, '1.0.0', { ...choose(source('github', 'refused'), last), ...start }),
    ).rejects.toMatchObject({ code: 'REFUSED', exitCode: 3 });
  });

  it('reports the last failure when start can reach no source', async () => {
    const choice = {
      ...choose(source('github', 'unreachable'), source('npm', 'unreachable')),
      isUnreachableSkipped: true,
    };

    await expect(findVersion(tool, '1.0.0', choice)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      details: { kind: 'npm' },
    });
  });
});

describe('findNewest', () => {
  it('takes the newest of the first source, from whichever source has it', async () => {
    const github = {
      ...source('github', ['1.0.0']),
      versions: source('github', ['2.0.0', '1.0.0']).versions,
    };
    const found = await findNewest(tool, choose(github, source('go-module', ['3.0.0', '2.0.0'])));

    expect(found).toMatchObject({ kind: 'go-module', version: '2.0.0' });
  });

  it('goes to an older version when no source can supply the newest', async () => {
    const github = {
      ...source('github', ['1.0.0']),
      versions: source('github', ['2.0.0', '1.0.0']).versions,
    };

    expect(await findNewest(tool, choose(github))).toMatchObject({ kind: 'github', version: '1.0.0' });
  });

  it('asks the next source when the first knows no version at all', async () => {
    const found = await findNewest(tool, choose(source('npm', []), source('go-module', ['1.0.0'])));

    expect(found.kind).toBe('go-module');
  });

  it('stays within the range of the tool file', async () => {
    const narrow = makeTool({ versions: '<2.0.0' });

    await expect(findNewest(narrow, choose(source('github', ['2.0.0'])))).rejects.toMatchObject({
      code: 'VERSION_NONE',
      exitCode: 1,
      message: 'gadget has no upstream version that can be released (github, range <2.0.0).',
      hint: 'Widen `versions:` or `minAge:` in the tool file, or name a version: gadget@VERSION.',
    });
  });
});

type State = readonly string[] | 'unreachable' | 'refused';

/** A source as the port describes it: it has these versions, or fails. */
function source(kind: 'github' | 'npm' | 'go-module', state: State): Upstream {
  const has = (version: string): readonly string[] => {
    const about = { tool: 'gadget', version, kind };
    if (state === 'unreachable') return fail('SOURCE_UNREACHABLE', { ...about, cause: 'no route', hint: '' });
    if (state === 'refused') return fail('REFUSED', { ...about, file: 'x', expected: 'y', found: 'z' });
    return state;
  };
  return {
    kind,
    versions: async () => has('(newest)').map((version) => ({ version, published: undefined })),
    find: async (_, version) =>
      has(version).includes(version) ? makeFound({ kind, version }) : { kind, lacks: `no ${version}` },
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
  };
}

function choose(...sources: Upstream[]): SourceChoice {
  return { sources, others: [], isUnreachableSkipped: false, now: new Date('2026-11-24T00:00:00Z') };
}
