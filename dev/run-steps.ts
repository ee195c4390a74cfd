import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Invocation } from '../invocation.ts';

/** The part of an invocation that the verbs of a checkout need. */
type Place = Pick<Invocation, 'productDir' | 'env'>;

/** One program from node_modules/.bin with its arguments. */
export type Step = { readonly title: string; readonly program: string; readonly args: readonly string[] };

/** Runs all steps, one after the other, and returns the first exit code that is not 0. */
export async function runSteps(invocation: Place, steps: readonly Step[]): Promise<number> {
  let exitCode = 0;
  for (const step of steps) {
    const code = await runStep(invocation, step);
    exitCode ||= code;
  }
  return exitCode;
}

function runStep({ productDir, env }: Place, step: Step): Promise<number> {
  const isWindows = process.platform === 'win32';
  const program = join(productDir, 'node_modules', '.bin', isWindows ? `${step.program}.cmd` : step.program);
  process.stderr.write(`\n> ${step.title}\n`);
  return new Promise((resolve, reject) => {
    // Windows only starts .cmd files through a shell. The words are ours, so nothing needs quoting.
    const child = spawn(program, step.args, { cwd: productDir, env, stdio: 'inherit', shell: isWindows });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 130));
  });
}
