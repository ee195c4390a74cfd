import { columns } from '../../formats/for-terminal.ts';
import type { Rollout } from '../published/feed/rollouts.ts';

/** Why the next step does not begin now, by the server's code. */
const waits: Readonly<Record<string, string>> = {
  correction: 'a correction of what main offers by now: repeat `start`',
  approvals: 'approvals by other owners',
  alert: 'the end of an alert',
  resume: '`resume`',
  hold: 'the end of its hold',
  evidence: 'more machines that have received it',
  heartbeat: 'a heartbeat of the monitoring',
  window: 'its window',
};

/** Rollouts for a terminal, one a line. */
export function rolloutTable(rollouts: readonly Rollout[]): string {
  if (rollouts.length === 0) return 'There is no rollout.';
  const heads = ['tool', 'version', 'state', 'step', 'reached', 'admitted', 'received', 'waits for'];
  const cells = rollouts.map((rollout) => {
    const { tool, version, state, counts } = rollout;
    const reached = `${reachInWords(rollout)}: ${counts.eligible} of ${counts.known}`;
    const [admitted, received] = [String(counts.admitted), String(counts.received)];
    return [tool, version, state, stepOf(rollout), reached, admitted, received, waitInWords(rollout)];
  });
  return [columns([heads, ...cells]), ...rollouts.flatMap(stopInWords)].join('\n');
}

const stops: Readonly<Record<string, readonly string[]>> = {
  halted: ['halt', 'alert'],
  'rolled-back': ['rollback', 'alert'],
  rejected: ['reject'],
};

/** Who or which alert has stopped a rollout, and why; nothing for one that goes on or is through. */
function stopInWords({ tool, version, state, history }: Rollout): readonly string[] {
  const stop = history.findLast(({ action }) => stops[state]?.includes(action) === true);
  if (stop === undefined) return [];
  const why = stop.reason === undefined ? '' : `: ${stop.reason}`;
  const stopped =
    state === 'halted' ? `has been halted since ${stop.at}` : `was ${state.replace('-', ' ')} at ${stop.at}`;
  return [`${tool} ${version} ${stopped}, by ${stop.by}${why}`];
}

/** `1.22.0 rolling, canary and 10 %` */
export function rolloutInShort(rollout: Pick<Rollout, 'version' | 'state' | 'reached'>): string {
  return `${rollout.version} ${rollout.state}, ${reachInWords(rollout)}`;
}

function reachInWords({ reached: { rings, percent } }: Pick<Rollout, 'reached'>): string {
  const parts = [...rings, ...(percent > 0 ? [`${percent} %`] : [])];
  return parts.length === 0 ? 'nobody yet' : parts.join(' and ');
}

/** The server counts the steps that have begun. */
function stepOf({ step, plan }: Rollout): string {
  const steps = (plan as { steps?: readonly unknown[] } | null)?.steps;
  return Array.isArray(steps) ? `${step} of ${steps.length}` : String(step);
}

function waitInWords({ waitsFor, next }: Rollout): string {
  const wait = waitsFor === undefined ? '' : (waits[waitsFor] ?? waitsFor);
  return next === undefined ? wait : `${wait}${wait === '' ? '' : ', '}not before ${next}`;
}
