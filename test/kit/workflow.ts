import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { type RunResult, run } from './programs.ts';

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Variables = z.record(z.string(), Text).default({});
const Step = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: Variables,
});
const Job = z.object({
  if: z.string().optional(),
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.string().optional(),
  env: Variables,
  outputs: Variables,
  permissions: z.record(z.string(), z.string()).optional(),
  steps: z.array(Step),
});
const Workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  env: Variables,
  jobs: z.record(z.string(), Job),
});
export type Workflow = z.infer<typeof Workflow>;

export async function readWorkflow(file: string): Promise<Workflow> {
  return Workflow.parse(parse(await readFile(file, 'utf8')));
}

/** Where the machine of a job has its checkout, and what differs from this process for the programs that its steps start. */
export type JobPlace = { readonly checkout: string; readonly env: NodeJS.ProcessEnv };
export type StepResult = RunResult & { readonly job: string; readonly step: string };
export type WorkflowRun = {
  readonly steps: readonly StepResult[];
  /** What each job wrote for its summary. */
  readonly summaries: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
};

/**
 * Runs the `run:` blocks of a workflow in its order, each by the shell and with the files that GitHub gives it; a `uses:` is left
 * out. A job ends at its first failure, except for its steps `if: always()`; jobs that need it do not begin.
 * @param values of expressions such as `vars.X`; outputs of steps and jobs are added. An expression without a value is an error
 */
export async function runWorkflow(
  { env: common, jobs }: Workflow,
  dir: string,
  values: Readonly<Record<string, string>>,
  placeOf: (job: string) => JobPlace,
): Promise<WorkflowRun> {
  const known: Record<string, string> = { ...values };
  const steps: StepResult[] = [];
  const summaries: Record<string, string> = {};
  const failed = new Set<string>();
  for (const [job, { if: condition, needs = [], env, outputs, steps: tasks }] of Object.entries(jobs)) {
    const isHeld = [needs].flat().some((need) => known[`needs.${need}.result`] !== 'success');
    if (!isTrue(condition, known, isHeld)) {
      known[`needs.${job}.result`] = 'skipped';
      continue;
    }
    const place = placeOf(job);
    const temp = join(dir, job);
    await mkdir(temp, { recursive: true });
    const files = { output: join(temp, 'output'), summary: join(temp, 'summary'), path: join(temp, 'path') };
    for (const file of Object.values(files)) await writeFile(file, '');
    for (const [at, task] of tasks.entries()) {
      if (task.run === undefined || !isTrue(task.if, known, failed.has(job))) continue;
      const script = join(temp, `${at}.sh`);
      await writeFile(script, task.run);
      const own = { ...common, ...env, ...task.env };
      const result = await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
        cwd: place.checkout,
        env: {
          ...Object.fromEntries(Object.entries(own).map(([name, text]) => [name, evaluate(text, known)])),
          RUNNER_TEMP: temp,
          GITHUB_OUTPUT: files.output,
          GITHUB_STEP_SUMMARY: files.summary,
          GITHUB_PATH: files.path,
          ...place.env,
        },
      });
      steps.push({ job, step: task.name ?? task.run, ...result });
      if (result.code !== 0) failed.add(job);
      for (const [name, text] of await takeOutputs(files.output))
        known[`steps.${task.id}.outputs.${name}`] = text;
    }
    for (const [name, text] of Object.entries(outputs))
      known[`needs.${job}.outputs.${name}`] = evaluate(text, known);
    known[`needs.${job}.result`] = failed.has(job) ? 'failure' : 'success';
    summaries[job] = await readFile(files.summary, 'utf8');
  }
  return { steps, summaries, outputs: known };
}

async function takeOutputs(file: string): Promise<readonly (readonly [string, string])[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  await writeFile(file, '');
  return lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
}

function evaluate(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ (.*?) \}\}/g, (_whole, expression: string) => lookUp(expression, known));
}

/** Outputs that no step wrote are empty, as GitHub has it. */
function lookUp(expression: string, known: Readonly<Record<string, string>>): string {
  const value = known[expression];
  if (value !== undefined) return value;
  if (/^(steps|needs)\.[\w-]+\.outputs\.\w+$/.test(expression)) return '';
  throw new Error(`the test gives no value to \${{ ${expression} }}`);
}

/** What a condition may say of the steps before it, or of the jobs that a job needs. Without any of them it says `success()`. */
const statuses: Readonly<Record<string, (hasFailed: boolean) => boolean>> = {
  'always()': () => true,
  '!cancelled()': () => true,
  'success()': (hasFailed) => !hasFailed,
};

/** Conditions joined by && of statuses, `X == Y` and `X != Y`. */
function isTrue(
  condition = 'success()',
  known: Readonly<Record<string, string>>,
  hasFailed: boolean,
): boolean {
  const parts = condition.replace(/^\$\{\{ (.*) \}\}$/, '$1').split(' && ');
  const isOne = (part: string): boolean => {
    const status = statuses[part];
    if (status !== undefined) return status(hasFailed);
    const [, left = '', by, right = ''] = /^(.+) (==|!=) (.+)$/.exec(part) ?? [];
    if (by === undefined) throw new Error(`the test cannot read the condition ${part}`);
    const side = (text: string) => (/^'.*'$/.test(text) ? text.slice(1, -1) : lookUp(text, known));
    return (side(left) === side(right)) === (by === '==');
  };
  return parts.every(isOne) && (parts.some((part) => part in statuses) || !hasFailed);
}
