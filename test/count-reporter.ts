import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { describeSkips, readAllowedSkips } from './skips.ts';

/**
 * Ends the run with one line that any CI can read: `N passed, N failed, N skipped`. With STRICT_SKIPS, a test that is skipped and not on
 * the list of allowed ones has failed: a pipeline must not lose tests because a program is missing.
 */
export default class CountReporter implements Reporter {
  #isWhole = true;

  /** Where the names of tests choose among them, the others count as skipped, too. */
  onInit({ config }: Vitest): void {
    this.#isWhole = config.testNamePattern === undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly { readonly message: string }[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    // A file that breaks outside of its tests (an import, a hook) makes them skipped, which must not pass for a success.
    const broken = modules.filter((module) => !module.ok() && !hasFailedTest(module));
    const skipped = tests.filter((test) => test.result().state === 'skipped').map(nameOf);
    const missed = this.#isWhole ? notAllowed(skipped) : [];
    const refused = process.env.STRICT_SKIPS === undefined ? [] : missed;
    if (refused.length > 0) {
      console.error(`\nSkipped, and not listed in test/allowed-skips.txt:\n  ${refused.join('\n  ')}`);
      process.exitCode = 1;
    }
    for (const line of describeSkips(missed)) console.log(line);
    const named = [
      ...tests.filter((test) => test.result().state === 'failed').map(nameOf),
      ...broken.map((module) => `${module.relativeModuleId} (outside of its tests)`),
      ...errors.map((error) => `an error outside of all tests: ${error.message.split('\n', 1)[0]}`),
      ...refused.map((name) => `${name} (skipped)`),
    ];
    // The end of a long output is what people see first.
    for (const name of named) console.log(`Failed: ${name.replaceAll(/\s+/g, ' ')}`);
    console.log(
      `\n${count('passed')} passed, ${named.length} failed, ${skipped.length - refused.length} skipped`,
    );
  }
}

function notAllowed(skipped: readonly string[]): string[] {
  const allowed = readAllowedSkips();
  return skipped.filter((name) => !allowed.has(name));
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length > 0;
}
