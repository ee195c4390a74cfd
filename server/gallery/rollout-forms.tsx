import type { JSX } from 'preact';
import type { StoredRollout } from '../rollout/rollouts.ts';

/** Why a machine is offered what it is. */
export type Answer = { readonly client: string; readonly lines: readonly string[] };

type Of = { readonly rollout: StoredRollout };

/** Halt and resume, in the middle of the night and from a phone: no script, no tool to install. */
export function Change({ rollout: { id, state, since, version } }: Of): JSX.Element | null {
  if (state !== 'rolling' && state !== 'halted') return null;
  const action = state === 'rolling' ? 'halt' : 'resume';
  return (
    <section aria-labelledby="change">
      <h2 id="change">{action === 'halt' ? 'Halt it' : 'Resume it'}</h2>
      <p>
        {action === 'halt'
          ? `No other machine gets ${version} until the rollout is resumed. Those that have it keep it.`
          : `It goes on with the same machines, where it stood.`}
      </p>
      <form class="change" action={`/rollouts/${id}/${action}`} method="post">
        {action === 'resume' && <input type="hidden" name="since" value={new Date(since).toISOString()} />}
        <label>
          Reason
          <input name="reason" required maxLength={500} autocomplete="off" />
        </label>
        <label>
          Key with the scope rollout
          <input type="password" name="key" required autocomplete="off" />
        </label>
        <button type="submit">{action === 'halt' ? 'Halt' : 'Resume'}</button>
      </form>
    </section>
  );
}

/** `Why does pc-7 get 1.22.0?`, for whoever has no checkout at hand. */
export function Machine({
  rollout: { id, tool },
  answer,
}: Of & { readonly answer?: Answer | undefined }): JSX.Element {
  return (
    <section aria-labelledby="machine">
      <h2 id="machine">What a machine gets</h2>
      {answer === undefined ? (
        <p>Which version of {tool} a machine is offered, and why.</p>
      ) : (
        <ul>
          {answer.lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <form class="ask" action={`/rollouts/${id}/client`} method="post">
        <label>
          Client id
          <input
            name="client"
            required
            maxLength={64}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={answer?.client}
          />
        </label>
        <label>
          Key with the scope read
          <input type="password" name="key" required autocomplete="off" />
        </label>
        <button type="submit">Explain</button>
      </form>
    </section>
  );
}
