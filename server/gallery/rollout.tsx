import type { ComponentChildren, JSX } from 'preact';
import { printDuration } from '../../formats/duration.ts';
import { nameOf } from '../rollout/alerts.ts';
import { isOpen } from '../rollout/rollout.ts';
import type { RolloutDetails, StepCount, StoredRollout } from '../rollout/rollouts.ts';
import { nextStepAt, type Wait, waitOf } from '../rollout/waits.ts';
import { Scroll } from './components.tsx';
import { Layout } from './layout.tsx';
import { type Answer, Change, Machine } from './rollout-forms.tsx';
import { MomentText, State, stepText } from './rollouts.tsx';

type Props = {
  readonly rollout: StoredRollout;
  readonly details: RolloutDetails;
  readonly steps: readonly StepCount[];
  readonly answer?: Answer | undefined;
};

/** `/rollouts/N`: where a rollout stands, who has the version, and what was done to it. */
export function RolloutPage({ rollout, details, steps, answer }: Props): JSX.Element {
  const { id, tool, packageId, version } = rollout;
  return (
    <Layout title={`${tool} ${version}, rollout ${id} - go-win-tools`}>
      <h1>
        {tool} {version}
      </h1>
      <p class="lead">
        Rollout {id} of <a href={`/packages/${encodeURIComponent(packageId)}`}>{packageId}</a>:{' '}
        <State rollout={rollout} />
      </p>
      <section aria-labelledby="now">
        <h2 id="now">Now</h2>
        <Facts rollout={rollout} details={details} />
      </section>
      <section aria-labelledby="steps">
        <h2 id="steps">Steps</h2>
        <Steps rollout={rollout} steps={steps} />
      </section>
      <Change rollout={rollout} />
      <Machine rollout={rollout} answer={answer} />
      <section aria-labelledby="commands">
        <h2 id="commands">Commands</h2>
        <pre>
          <code class="copy">{commandsFor(rollout).join('\n')}</code>
        </pre>
      </section>
      <Alerts details={details} />
      <section aria-labelledby="history">
        <h2 id="history">History</h2>
        <History details={details} />
      </section>
    </Layout>
  );
}

const waits: Readonly<Record<Wait, string>> = {
  correction: 'a correction of what main offers by now, which a repeated start prepares',
  approvals: 'approvals by other owners',
  alert: 'the end of an alert that is firing',
  resume: 'somebody who resumes it or rolls it back',
  hold: 'the end of the hold',
  evidence: 'more machines that have received the version',
  heartbeat: 'a Watchdog alert: without one nobody would notice a fault',
  window: 'the next window of the plan',
};

function Facts({ rollout, details: { facts, counts } }: Pick<Props, 'rollout' | 'details'>): JSX.Element {
  const next = nextStepAt(rollout, facts);
  const wait = waitOf(rollout, facts);
  const approvers = rollout.approvals.map(({ owner }) => owner).join(', ');
  const shown: readonly (readonly [string, ComponentChildren])[] = [
    ['Since', <MomentText key="since" ms={rollout.since} />],
    ['Step', stepText(rollout)],
    ...(next === undefined ? [] : [['Next step', <MomentText key="next" ms={next} />] as const]),
    ...(wait === undefined ? [] : [['Waits for', waits[wait]] as const]),
    ...(facts.approvalsNeeded === 0
      ? []
      : [['Approvals', `${rollout.approvals.length} of ${facts.approvalsNeeded} ${approvers}`] as const]),
    ['Clients', `${counts.known} known, ${counts.eligible} reached by the steps so far`],
    ['Admitted', `${counts.admitted} offered ${rollout.version}, ${counts.received} received it`],
  ];
  return (
    <dl class="facts">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Steps({ rollout, steps }: Pick<Props, 'rollout' | 'steps'>): JSX.Element {
  const { plan, step: current } = rollout;
  return (
    <Scroll label="Table of steps">
      <table>
        <thead>
          <tr>
            <th scope="col">Reaches</th>
            <th scope="col">Hold</th>
            <th scope="col" class="number">
              Receivers needed
            </th>
            <th scope="col">Begun</th>
            <th scope="col" class="number">
              Admitted
            </th>
            <th scope="col" class="number">
              Received
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.steps.map((step, index) => (
            <tr key={index} aria-current={index === current && isOpen(rollout) ? 'step' : undefined}>
              <th scope="row">{'ring' in step ? `ring ${step.ring}` : `${step.percent} % of machines`}</th>
              <td>{printDuration(step.hold)}</td>
              <td class="number">{step.needs}</td>
              <td>{index > current ? 'not yet' : index === current && isOpen(rollout) ? 'now' : 'yes'}</td>
              <td class="number">{steps[index]?.admitted ?? ''}</td>
              <td class="number">{steps[index]?.received ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function commandsFor({ tool, version, state }: StoredRollout): string[] {
  const actions: Partial<Record<StoredRollout['state'], readonly string[]>> = {
    pending: ['approve TOOL', 'reject TOOL'],
    rolling: ['halt TOOL --reason TEXT', 'advance TOOL', 'complete TOOL', 'rollback TOOL --reason TEXT'],
    halted: ['resume TOOL --reason TEXT', 'rollback TOOL --reason TEXT'],
  };
  const own = ['status TOOL', ...(actions[state] ?? [])].map(
    (action) => `release:rollout ${action.replace('TOOL', tool)}`,
  );
  const who = state === 'rolled-back' ? [`feed:clients list --given ${tool}@${version}`] : [];
  return [...own, ...who].map((command) => `npx -y pnpm@10 ${command}`);
}

function Alerts({ details: { alerts } }: Pick<Props, 'details'>): JSX.Element | null {
  if (alerts.length === 0) return null;
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">Alerts</h2>
      <ul>
        {alerts.map(({ at, fingerprint, labels, outcome }) => (
          <li key={`${fingerprint} ${at}`}>
            <MomentText ms={at} />: {nameOf({ fingerprint, labels })} {outcome.replace('-', ' ')} it{' '}
            <span class="remark">
              {Object.entries(labels)
                .map(([name, value]) => `${name}=${value}`)
                .join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function History({ details: { history } }: Pick<Props, 'details'>): JSX.Element {
  return (
    <Scroll label="Table of what was done">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Who</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {history.map(({ at, by, action, reason }, index) => (
            <tr key={index}>
              <th scope="row">
                <MomentText ms={at} />
              </th>
              <td>{action}</td>
              <td>{by}</td>
              <td>{reason ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
