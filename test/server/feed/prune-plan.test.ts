import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  ManifestText,
  NameFacts,
  PublicVersion,
  RolloutNames,
} from '../../../server/catalog/prunable.ts';
import { branchesOf, freedBytes, type PrunePolicy, planPrune } from '../../../server/feed/prune-plan.ts';

const day = 24 * 60 * 60_000;
const old = -100 * day;
const policy: PrunePolicy = { betas: 1, before: -90 * day };

type Case = {
  readonly name?: string;
  readonly versions: readonly (string | Partial<PublicVersion>)[];
  readonly rollouts?: readonly RolloutNames[];
  readonly held?: readonly ManifestText[];
  readonly main?: readonly ManifestText[];
  readonly beta?: readonly ManifestText[];
  readonly packages?: readonly string[];
  readonly betas?: number;
};

const sized = (sha256: string) => ({ sha256, sizeBytes: 10 });
const manifest = (tool: string, version: string, text = ''): ManifestText => ({ tool, version, text });

function publicVersion(of: string | Partial<PublicVersion>): PublicVersion {
  const { version = '', ...rest } = typeof of === 'string' ? { version: of } : of;
  return { version, at: old, isListed: true, package: sized(`nupkg ${version}`), payloads: [], ...rest };
}

function factsOf({ name = 'delve', versions, rollouts = [], held = [], packages = [name] }: Case): NameFacts {
  const isPackage = (other: string) => packages.includes(other);
  return { name, versions: versions.map(publicVersion), rollouts, manifests: held, isPackage };
}

function plan(of: Case) {
  const branches = branchesOf({ main: of.main ?? [], beta: of.beta ?? [] });
  return planPrune(factsOf(of), branches, { ...policy, betas: of.betas ?? policy.betas });
}

const newest = '9.0.0-beta.1';
const beta = '1.0.0-beta.1';
const completed = { isOpen: false, version: '1.0.0', corrections: [] };

describe('which betas stay', () => {
  it.each<[what: string, of: Case, kept: string | undefined]>([
    ['an old one that nothing names goes', { versions: [newest, beta] }, undefined],
    ['also where its stable version is there', { versions: [newest, beta, '1.0.0'] }, undefined],
    ['the newest', { versions: [beta, '9.0.0'] }, 'newest'],
    ['the newest by number, not by text', { versions: [beta, '1.0.0-beta.10', '1.0.0-beta.9'] }, undefined],
    ['as many of the newest as are wanted', { versions: [newest, beta], betas: 2 }, 'newest'],
    [
      'withdrawn ones are not counted',
      { versions: [newest, { version: '8.0.0-beta.1', isListed: false }, beta], betas: 2 },
      'newest',
    ],
    [
      'a withdrawn newest one stays, for its number',
      { versions: [{ version: beta, isListed: false }, '0.9.0-beta.1'] },
      'newest',
    ],
    ['a young one', { versions: [newest, { version: beta, at: -89 * day }] }, 'young'],
    ['what main offers', { versions: [newest, beta], main: [manifest('delve', beta)] }, 'branch'],
    ['what beta offers', { versions: [newest, beta], beta: [manifest('delve', beta)] }, 'branch'],
    [
      'in another spelling',
      {
        name: 'Delve',
        packages: ['delve'],
        versions: [newest, '1.0-BETA.1'],
        beta: [manifest('delve', beta)],
      },
      'branch',
    ],
    [
      'what beta offers of another package',
      { versions: [newest, beta], beta: [manifest('buf', beta)], packages: ['delve', 'buf'] },
      undefined,
    ],
    [
      'a tool whose package has another name, which may be this one',
      { versions: [newest, beta], beta: [manifest('dlv', beta)] },
      'branch',
    ],
    [
      'what a manifest points to',
      { versions: [newest, beta], main: [manifest('delve', '2.0.0', `https://x/dl/delve/${beta}/dlv.exe`)] },
      'branch',
    ],
    [
      "what another tool's manifest points to",
      { versions: [newest, beta], main: [manifest('buf', '2.0.0', `https://x/DL/Delve/${beta}/dlv.exe`)] },
      'branch',
    ],
    [
      'what a branch is about to get',
      { versions: [newest, beta], held: [manifest('delve', beta)] },
      'branch',
    ],
    [
      'the beta of a version that is rolled out',
      { versions: [newest, beta], rollouts: [{ ...completed, isOpen: true }] },
      'rollout',
    ],
    [
      'a beta that was itself rolled out',
      { versions: [newest, beta], rollouts: [{ ...completed, version: beta }] },
      'rollout',
    ],
    ['not that of one that was', { versions: [newest, beta], rollouts: [completed] }, undefined],
    [
      'the beta of a correction that a rollout gave',
      { versions: [newest, '1.0.0.1-beta.1'], rollouts: [{ ...completed, corrections: ['1.0.0.1'] }] },
      'rollout',
    ],
    [
      'one whose promotion was cut off',
      { versions: [newest, beta, '1.0.0'], main: [manifest('delve', '0.9.0')] },
      'promotion',
    ],
    [
      'one whose promotion was cut off, the first',
      { versions: [newest, beta, '1.0.0'], beta: [manifest('delve', newest)] },
      'promotion',
    ],
    [
      'not one that main has passed',
      { versions: [newest, beta, '1.0.0'], main: [manifest('delve', '1.0.0')] },
      undefined,
    ],
    [
      'one whose bytes a correction has',
      {
        versions: [
          newest,
          { version: beta, payloads: [sized('exe')] },
          { version: '2.0.0.1', payloads: [sized('exe')] },
        ],
      },
      'correction',
    ],
    [
      'not one whose bytes the stable version has',
      {
        versions: [
          newest,
          { version: beta, payloads: [sized('exe')] },
          { version: '1.0.0', payloads: [sized('exe')] },
        ],
      },
      undefined,
    ],
  ])('%s', (_what, of, kept) => {
    const judged = plan(of);

    const last = judged.at(-1);
    const found = judged.find((one) => one.beta.version.toLowerCase() === beta) ?? last;
    expect(found?.keptBy).toBe(kept);
  });

  it('are asked about betas alone', () => {
    const others = [
      '1.0.0',
      '1.0.0.1',
      '1.0.0-rc.1',
      '1.0.0-beta',
      '1.0.0-beta.0',
      '1.0.0-beta.1.2',
      '1.0.0-alpha.1',
    ];

    expect(plan({ versions: [newest, ...others] }).map((one) => one.beta.version)).toEqual([newest]);
  });

  it('leave bytes that others have out of what is freed', () => {
    const shared = { version: beta, payloads: [sized('exe'), sized('own'), sized('own')] };
    const facts = factsOf({ versions: [shared, { version: '1.0.0', payloads: [sized('exe')] }] });

    expect(freedBytes(facts, new Set(facts.versions.slice(0, 1)))).toBe(20);
  });
});

describe('for any feed', () => {
  const versions = fc.record({
    major: fc.nat(3),
    correction: fc.nat(1),
    beta: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    at: fc.integer({ min: -200, max: 0 }),
    isListed: fc.boolean(),
    sha: fc.nat(4),
  });
  const spell = ({
    major,
    correction,
    beta,
  }: {
    major: number;
    correction: number;
    beta?: number | undefined;
  }) => `${major}.0.0${correction === 0 ? '' : `.${correction}`}${beta === undefined ? '' : `-beta.${beta}`}`;
  const cases = fc.record({
    versions: fc.uniqueArray(versions, { selector: spell, maxLength: 20 }).map((all) =>
      all.map(
        (one): Partial<PublicVersion> => ({
          version: spell(one),
          at: one.at * day,
          isListed: one.isListed,
          payloads: [sized(`exe ${one.sha}`)],
        }),
      ),
    ),
    main: fc.option(
      versions.map((one) => [manifest('delve', spell({ ...one, beta: undefined }))]),
      { nil: [] },
    ),
    beta: fc.option(
      versions.map((one) => [manifest('delve', spell(one))]),
      { nil: [] },
    ),
    rollouts: fc.array(
      fc
        .record({ isOpen: fc.boolean(), version: versions.map((one) => spell({ ...one, beta: undefined })) })
        .map((one): RolloutNames => ({ ...one, corrections: [`${one.version.slice(0, 5)}.1`] })),
      { maxLength: 2 },
    ),
    betas: fc.integer({ min: 1, max: 4 }),
  });
  const goes = (of: Case) =>
    plan(of).flatMap(({ beta, keptBy }) => (keptBy === undefined ? [beta.version] : []));
  const isGone = (gone: readonly string[]) => (one: string | Partial<PublicVersion>) =>
    typeof one !== 'string' && gone.includes(one.version ?? '');

  it('no stable version goes, nothing young, nothing that a branch or a rollout names', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const gone = goes(of);
        const named = [...of.main, ...of.beta].map(({ version }) => version);
        const corrected = of.rollouts.flatMap(({ version, corrections, isOpen }) => [
          ...(isOpen ? [version] : []),
          ...corrections,
        ]);
        for (const version of gone) {
          expect(version).toMatch(/-beta\.\d$/);
          expect(named).not.toContain(version);
          expect(corrected).not.toContain(version.replace(/-.*/, ''));
          expect(of.versions.find((one) => one.version === version)?.at).toBeLessThanOrEqual(policy.before);
        }
      }),
    );
  });

  it('as many listed betas stay as are wanted, if there are so many', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const listed = of.versions.filter(({ version = '', isListed }) => version.includes('-') && isListed);
        const left = listed.filter((one) => !isGone(goes(of))(one));

        expect(left.length).toBeGreaterThanOrEqual(Math.min(of.betas, listed.length));
      }),
    );
  });

  it('once they are gone, nothing else goes', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const gone = goes(of);

        expect(goes({ ...of, versions: of.versions.filter((one) => !isGone(gone)(one)) })).toEqual([]);
      }),
    );
  });

  it('whoever keeps more loses no more', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const fewer = goes({ ...of, betas: of.betas + 1 });

        expect(goes(of)).toEqual(expect.arrayContaining(fewer));
      }),
    );
  });
});

it('asks about those tools alone that name a number of the package, however many there are', () => {
  const asked: string[] = [];
  const main = ['1.0.0-beta.1', '2.0.0'].map((version, at) => manifest(`other${at}`, version));
  const isPackage = (tool: string) => asked.push(tool) > 0;
  const facts = { ...factsOf({ versions: [newest, beta] }), isPackage };
  planPrune(facts, branchesOf({ main, beta: [] }), policy);
  expect(asked).toEqual(['other0']);
});
