import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { describeFailure } from './failures.ts';
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
    const skips = tests.filter((test) => test.result().state === 'skipped');
    const skipped = skips.map(nameOf);
    // What a broken file kept from running lacks no program.
    const chosen = skips.filter(({ module }) => !broken.includes(module)).map(nameOf);
    const missed = this.#isWhole ? notAllowed(chosen) : [];
    const refused = process.env.STRICT_SKIPS === undefined ? [] : missed;
    if (refused.length > 0) {
      console.error(`\nSkipped, and not listed in test/allowed-skips.txt:\n  ${refused.join('\n  ')}`);
      process.exitCode = 1;
    }
    for (const line of describeSkips(missed)) console.log(line);
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => describeFailure(nameOf(test), messagesOf(test.result().errors))),
      ...broken.map((module) =>
        describeFailure(`${module.relativeModuleId} (outside of its tests)`, messagesOf(errorsOf(module))),
      ),
      ...errors.map(({ message }) => describeFailure('an error outside of all tests', [message])),
      ...refused.map((name) => describeFailure(`${name} (skipped)`, [])),
    ];
    // The end of a long output is what people see first.
    for (const line of failures.flat()) console.log(line);
    console.log(
      `\n${count('passed')} passed, ${failures.length} failed, ${skipped.length - refused.length} skipped`,
    );
  }
}

function notAllowed(skipped: readonly string[]): string[] {
  const allowed = readAllowedSkips();
  return skipped.filter((name) => !allowed.has(name));
}

function messagesOf(
  errors: readonly { readonly message: string; readonly diff?: string | undefined }[] = [],
): string[] {
  return errors.flatMap(({ message, diff }) => (diff === undefined ? [message] : [message, diff]));
}

/** Of the file itself and of the hooks in it. */
function errorsOf(module: TestModule) {
  return [module, ...module.children.allSuites()].flatMap((one) => one.errors());
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length > 0;
}
