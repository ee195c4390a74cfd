import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes a minute or more, the longest first: begun last, one of them would run alone at the end of a run. */
const longest = [
  'slow/image/image',
  'slow/main-job',
  'shims/windows-forms',
  'slow/tools-dir',
  'flows/forged-beta',
  'slow/ci-run',
  'slow/client-pulls',
  'slow/killed-withdrawal',
  'flows/rollout-alert',
  'flows/rollout-fleet',
  'server/install/parameters',
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
