import { Argument, InvalidArgumentError, Option } from 'commander';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import type { FeedHttp } from '../../published/feed/http.ts';
import {
  actOnRollout,
  isOpen,
  listRollouts,
  type Rollout,
  type RolloutActionName,
} from '../../published/feed/rollouts.ts';
import type { ReleaseFlags } from '../flags.ts';
import { recoveryLines } from '../recovery.ts';
import { verb } from '../run/run-verb.ts';
import { changeRollout, isMeant, readTarget, type Target } from './open-rollouts.ts';

type ActionFlags = ReleaseFlags & { readonly step?: number };

type Action = {
  readonly description: string;
  /** Of this action alone. */
  readonly options?: readonly Option[];
  /** The state that it leads to: a rollout that is in it needs nothing more. */
  readonly leadsTo?: string;
  readonly needsReason?: boolean;
  readonly scope: 'rollout' | 'approve';
  /**
   * The field of the rollout that must be as it was seen: otherwise it would end the hold after the one that was meant, or a halt
   * that somebody else has put in place since. What stops a rollout acts whatever was seen.
   */
  readonly isFor?: 'step' | 'since';
};

/** None of them reads a tool's file or asks upstream, so that a rollback at night depends on the server alone. */
const actions: Readonly<Record<RolloutActionName, Action>> = {
  advance: {
    description: "Begins the next step now, before the current one's hold is over.",
    options: [
      new Option(
        '--step <number>',
        'the step whose hold is to end, as `status` shows it; running it again does nothing (default: the current step)',
      ).argParser(readStep),
    ],
    scope: 'rollout',
    isFor: 'step',
  },
  complete: {
    description: 'Gives the version to everybody now: it is published, and branches main and beta offer it.',
    leadsTo: 'completed',
    scope: 'rollout',
  },
  halt: {
    description: 'Stops the rollout at once: no other machine gets the version; those that have it keep it.',
    leadsTo: 'halted',
    needsReason: true,
    scope: 'rollout',
  },
  resume: {
    description: 'Goes on with a halted rollout, for the same machines.',
    leadsTo: 'rolling',
    needsReason: true,
    scope: 'rollout',
    isFor: 'since',
  },
  rollback: {
    description:
      'Takes the version back: the machines that got it are offered the last good bytes as a correction, which was uploaded when the rollout started.',
    leadsTo: 'rolled-back',
    needsReason: true,
    scope: 'rollout',
  },
  approve: {
    description: 'Approves a rollout that somebody else started. The key must have another owner.',
    scope: 'approve',
  },
  reject: {
    description: 'Rejects a rollout that waits for approvals. The key must have another owner.',
    leadsTo: 'rejected',
    scope: 'approve',
  },
};

export const actionCommands = (Object.keys(actions) as RolloutActionName[]).map((name) => {
  const { description, options = [], needsReason = false, scope } = actions[name];
  return verb<ActionFlags>({
    name,
    description,
    options,
    argument: new Argument('<tool[@version]>', 'no version: its open rollout'),
    flags: ['reason', 'json', 'quiet'],
    examples: [`release:rollout ${name} delve${needsReason ? " --reason 'error rate of checkout'" : ''}`],
    isWithoutTools: true,
    check({ args: [arg = ''], flags }) {
      readTarget(arg);
      if (needsReason && flags.reason === undefined)
        fail('USAGE', { problem: `--reason TEXT is missing: why you ${name} it.` });
    },
    async run({ args: [arg = ''], flags }, toolkit) {
      const target = readTarget(arg);
      const { tool } = target;
      const { rollout, isDone } = await changeRollout(toolkit, { tool, scope }, async (feed) => {
        const found = chooseRollout(await listRollouts(feed, tool), target, name, endOf(name, flags));
        return act(feed, found, name, flags);
      });
      const at = name === 'advance' ? `, step ${rollout.step}` : '';
      const nothing = isDone ? [`nothing to do: it is ${rollout.state}${at}`] : [];
      toolkit.report.rollouts([rollout], { notes: [...nothing, ...notesOf(rollout)] });
    },
  });
});

/** Does it, unless it is done: before this run, or meanwhile by somebody else. */
async function act(
  feed: FeedHttp,
  found: Rollout,
  name: RolloutActionName,
  flags: ActionFlags,
): Promise<{ readonly rollout: Rollout; readonly isDone: boolean }> {
  const { reason, step } = flags;
  const isDone = (now: Rollout) =>
    now.state === endOf(name, flags) || (step !== undefined && now.step > step);
  if (isDone(found)) return { rollout: found, isDone: true };
  const { isFor } = actions[name];
  const seen =
    isFor === 'step' ? { step: step ?? found.step } : isFor === 'since' ? { since: found.since } : {};
  try {
    return { rollout: await actOnRollout(feed, found, name, { reason, seen }), isDone: false };
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'ROLLOUT_REFUSED') throw error;
    const now = (await listRollouts(feed, found.tool)).find(({ id }) => id === found.id);
    if (now === undefined || !isDone(now)) throw error;
    return { rollout: now, isDone: true };
  }
}

/** The state in which there is nothing left to do: where everybody has it, each step that may be named is over. */
function endOf(name: RolloutActionName, { step }: ActionFlags): string | undefined {
  return actions[name].leadsTo ?? (step === undefined ? undefined : 'completed');
}

function readStep(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('A step is a number, from 1 on.');
  return Number(text);
}

/**
 * Of those that are open, the one whose state the action is for: while a rollout waits for approvals, the one before it goes on.
 * Where there is none, what the action has led to since then.
 * @param end the state in which nothing is left to do
 * @throws ReleaseError ROLLOUT_MISSING
 */
function chooseRollout(
  rollouts: readonly Rollout[],
  { tool, version }: Target,
  action: RolloutActionName,
  end: string | undefined,
): Rollout {
  const meant = rollouts.filter((one) => isMeant(one, version));
  const open = meant.filter(isOpen);
  const { scope } = actions[action];
  const fitting = open.find(({ state }) => (state === 'pending') === (scope === 'approve'));
  if (fitting !== undefined) return fitting;
  const [other] = open;
  const [last] = meant.filter((one) => !isOpen(one)).toSorted((one, two) => timeOf(two) - timeOf(one));
  const isSince = last !== undefined && (other === undefined || timeOf(last) >= timeOf(other));
  if (isSince && last.state === end) return last;
  if (other !== undefined) return other;
  const of = version === undefined ? '' : ` of ${version}`;
  const ended = last === undefined ? '' : `, and that of ${last.version} is ${last.state}`;
  const hint =
    last?.state === 'completed'
      ? `\`release:withdraw ${tool}@${last.version} --reason TEXT\` takes back what everybody has.`
      : `\`release:rollout start ${tool}\` begins one.`;
  return fail('ROLLOUT_MISSING', { tool, found: `no open rollout${of}${ended}`, what: action, hint });
}

/** When it came into its state. */
function timeOf({ since }: Rollout): number {
  return Date.parse(since);
}

/** After a rollback: what affected machines have to run. */
function notesOf({ tool, packageId, version: bad, state, correction: fixed }: Rollout): readonly string[] {
  if (state !== 'rolled-back') return [];
  const nothing = `There is nothing to go back to: main offered no version of ${tool} before.`;
  // the log of downloads knows no clients, and nothing of git
  const finder = `feed:clients list --given ${tool}@${bad}`;
  const lines = recoveryLines({ tool, packageId }, bad, fixed, finder);
  return [...(fixed === undefined ? [nothing] : []), ...lines];
}
