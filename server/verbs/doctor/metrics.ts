import { dayMs } from '../../../formats/duration.ts';
import { promisedMetrics } from '../../metrics.ts';
import { printCount } from '../print.ts';
import { ask } from './ask.ts';
import { type Check, type Finding, failed, ok, type Place, skip, warn } from './check.ts';
import { openProbe } from './probe.ts';
import { ofThisMachine } from './server.ts';

/** Whether everything that alerts and dashboards are made of is there (docs/operate/watching.md). */
export const metrics: Check = {
  name: 'metrics',
  // A server of this machine is asked where it listens.
  needs: ({ server }) => (server === undefined ? ['server', 'public-url'] : ['server']),
  async look(place) {
    const text = await readMetrics(place);
    if (text === undefined)
      return skip('reading needs a key (READ_AUTH=all)', 'run the doctor where the server runs');
    return judgeMetrics(text, promisedMetrics(place.config));
  },
};

/** How old the last copy of everything is: whether or not a server can be asked. */
export const backup: Check = {
  name: 'backup',
  needs: ['database'],
  async look({ config, now }) {
    const probe = await openProbe(config);
    try {
      return judgeBackup(await probe.lastBackup(), now());
    } finally {
      probe.close();
    }
  },
};

/** Of the server here, or else of any that answers; undefined: it wants a key. */
async function readMetrics(place: Place): Promise<string | undefined> {
  if (place.server !== undefined) return ofThisMachine(place.server, place).ask('metrics');
  const { status, text } = await ask(place, `${place.publicUrl}/metrics`);
  return status === 401 ? undefined : text;
}

export function judgeMetrics(text: string, promised: readonly string[]): Finding {
  const found = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
  const missing = promised.filter((name) => !found.has(name));
  return missing.length === 0
    ? ok(`all ${promised.length} that are promised are in /metrics`)
    : failed(
        `${missing.length} of ${promised.length} are not in /metrics: ${missing.slice(0, 5).join(', ')}`,
        'restart the server, so that it is the installed version: alerts on a metric that is missing never fire',
      );
}

const maxAgeDays = 7;

export function judgeBackup(last: Date | undefined, now: Date): Finding {
  const todo = 'let feed:backup run each night, to another machine (docs/operate/backup.md)';
  if (last === undefined) return warn('there was no backup yet', todo);
  if (last > now)
    return warn(
      `the last backup is dated in the future, ${last.toISOString()}`,
      `set the clock, and ${todo}`,
    );
  const days = (now.getTime() - last.getTime()) / dayMs;
  const age = days < 1 ? 'less than a day' : printCount(Math.floor(days), 'day');
  return days > maxAgeDays
    ? warn(`the last backup is ${age} old`, todo)
    : ok(`the last backup is ${age} old`);
}
