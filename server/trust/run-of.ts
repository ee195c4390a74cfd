import { visible } from '../../formats/format-error.ts';
import type { Claims } from './id-token.ts';

/**
 * What of a run is recorded, and the claims that have it: of GitHub Actions, then of GitLab. A claim that is missing, or is no text, is left
 * out.
 */
const facts = [
  ['repository', ['repository', 'project_path']],
  ['workflow', ['job_workflow_ref', 'workflow_ref', 'ci_config_ref_uri']],
  ['run', ['run_id', 'pipeline_id']],
  ['attempt', ['run_attempt']],
  ['job', ['job_id']],
  ['commit', ['sha']],
  ['actor', ['actor', 'user_login']],
] as const;

export type Run = {
  /** `run 123456`; empty when the token names none. */
  readonly label: string;
  /** One line: `repository acme/tools, run 123456, commit 8fe1b32...`. */
  readonly detail: string;
};

/** The run of a CI job, from claims that were checked. */
export function runOf(claims: Claims): Run {
  const known = new Map<string, string>();
  for (const [fact, names] of facts) {
    const value = names.map((name) => wordOf(claims, name)).find((word) => word !== undefined);
    if (value !== undefined) known.set(fact, value);
  }
  const run = known.get('run');
  return {
    label: run === undefined ? '' : `run ${run}`,
    detail: [...known].map(([fact, value]) => `${fact} ${value}`).join(', '),
  };
}

/** In quotes where it could be taken for more than one value: a branch may have any name. */
function wordOf(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  if (text === '') return undefined;
  return /^[\w./:@+~#=-]{1,200}$/.test(text) ? text : JSON.stringify(visible(text));
}
