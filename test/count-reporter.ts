import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one line that any CI can read: `N passed, N failed, N skipped`. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string): number => states.filter((one) => one === state).length;
    // A file that breaks outside of its tests (an import, a hook) makes them skipped, which must not pass for a success.
    const broken = modules.filter((module) => !module.ok() && !hasFailedTest(module)).length;
    const failed = count('failed') + broken + errors.length;
    console.log(`\n${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`);
  }
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length > 0;
}
