import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes a minute or more, about the longest first: begun last, one of them would run alone at the end of a run. main-job compiles all
 * the time, so what mostly waits for others (a database, a fleet, wine) is begun beside it, and the rest of what compiles after it.
 */
const longest = [
  'slow/main-job',
  'slow/image/image',
  'shims/windows-forms',
  'devbox/image',
  'server/install/parameters',
  'slow/client-pulls',
  'replicas/rolling-restart',
  'replicas/release-flow',
  'replicas/faults',
  'replicas/contracts',
  'replicas/catalog',
  'server/bucket/shared-copies',
  'flows/forged-beta',
  'flows/interrupted-verbs',
  'slow/killed-withdrawal',
  'slow/ci-run',
  'conformance/suite',
  'flows/signed-npm',
  'slow/tools-dir',
  'slow/windows-image',
  'slow/devcontainer',
  'flows/offline',
  'hostile/credentials',
  'flows/rollout-alert',
  'flows/release-check',
  'flows/withdraw',
  'flows/promote',
];

/** Longest first, and else as Vitest orders them: a project after the other, the larger files first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at === -1 ? longest.length : at;
    };
    // its order stays among equals
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
