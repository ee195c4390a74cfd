import type { JSX } from 'preact';
import { isOpen } from '../rollout/rollout.ts';
import type { StoredRollout } from '../rollout/rollouts.ts';
import { Layout } from './layout.tsx';

type Props = { readonly rollouts: readonly StoredRollout[] };

/** `/rollouts`: the open ones, then those that have ended. */
export function RolloutsPage({ rollouts }: Props): JSX.Element {
  const [open, ended] = [rollouts.filter(isOpen), rollouts.filter((rollout) => !isOpen(rollout))];
  return (
    <Layout title="Rollouts - go-win-tools">
      <h1>Rollouts</h1>
      <p class="lead">Versions that some machines get before all others.</p>
      <section aria-labelledby="open">
        <h2 id="open">Open</h2>
        {open.length === 0 ? (
          <p class="empty">
            None. A maintainer starts one with <code>npx -y pnpm@10 release:rollout start TOOL</code>.
          </p>
        ) : (
          <RolloutTable rollouts={open} />
        )}
      </section>
      {ended.length === 0 ? null : (
        <section aria-labelledby="ended">
          <h2 id="ended">Ended</h2>
          <RolloutTable rollouts={ended} />
        </section>
      )}
    </Layout>
  );
}

function RolloutTable({ rollouts }: Props): JSX.Element {
  return (
    <table class="packages">
      <thead>
        <tr>
          <th scope="col">Rollout</th>
          <th scope="col">State</th>
          <th scope="col">Step</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {rollouts.map((rollout) => (
          <tr key={rollout.id}>
            <th scope="row">
              <a href={`/rollouts/${rollout.id}`}>
                {rollout.tool} {rollout.version}
              </a>
            </th>
            <td data-label="State">
              <State rollout={rollout} />
            </td>
            <td data-label="Step">{stepText(rollout)}</td>
            <td data-label="Since">
              <MomentText ms={rollout.since} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function State({ rollout: { state } }: { readonly rollout: StoredRollout }): JSX.Element {
  return <span class={`state ${state}`}>{state.replace('-', ' ')}</span>;
}

/** `2 of 3`: how many steps of the plan have begun. */
export function stepText({ step, plan }: StoredRollout): string {
  return `${step + 1} of ${plan.steps.length}`;
}

/** To the minute, in UTC: a rollout is watched from several time zones. */
export function MomentText({ ms }: { readonly ms: number }): JSX.Element {
  const text = new Date(ms).toISOString();
  return <time dateTime={text}>{`${text.slice(0, 10)} ${text.slice(11, 16)} UTC`}</time>;
}
