import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inShort } from '../../../formats/thrown.ts';
import { createHttp, type Http } from '../../../outbound/http.ts';
import { doctorTest } from '../../rollout/alerts.ts';
import { type Check, failed, ok, type Place, skip } from './check.ts';
import { openProbe } from './probe.ts';

/** Alertmanager waits half a minute for more alerts of a group, unless its route says otherwise. */
const arriveMs = 45_000;
const pollMs = 100;

/** The way of an alert: into Alertmanager, and from there to where alerts stop rollouts. */
export const alerts: Check = {
  name: 'alerts',
  needs: ['server', 'database'],
  limitMs: arriveMs + 20_000,
  async look(place) {
    const { alertmanager, version } = place;
    if (alertmanager === undefined)
      return skip('not checked: no test alert was sent', '--alertmanager URL sends one and times it');
    const http = createHttp({ userAgent: `go-win-tools/${version} doctor` });
    const mark = randomUUID();
    const begun = place.now();
    try {
      await post(http, place, { mark, begun, ends: new Date(begun.getTime() + 10 * 60_000) });
    } catch (error) {
      return failed(
        `Alertmanager at ${alertmanager} does not accept an alert: ${inShort(error)}`,
        'start it, or correct the address: while it is away, no alert stops a rollout, and no heartbeat comes',
      );
    }
    const since = performance.now();
    const hasCome = await waitFor(place, mark);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    // Alertmanager tells the server that it is over.
    await post(http, place, { mark, begun, ends: place.now() }).catch(() => undefined);
    return hasCome
      ? ok(`a test alert came back through Alertmanager after ${seconds} s`)
      : failed(
          `Alertmanager took a test alert, and the server did not get it within ${arriveMs / 1000} s`,
          'give Alertmanager the route for DoctorTest, the address of the server and a key with the scope alert (docs/operate/doctor.md); its log says why a notification failed',
        );
  },
};

/** API v2, which Alertmanager has had since 0.16. */
async function post(
  http: Http,
  { alertmanager, publicUrl, signal }: Place,
  { mark, begun, ends }: { readonly mark: string; readonly begun: Date; readonly ends: Date },
): Promise<void> {
  const alert = {
    labels: { alertname: doctorTest, severity: 'none', doctor: mark },
    annotations: { summary: `a test by feed:doctor for ${publicUrl}; nobody needs to do anything` },
    startsAt: begun.toISOString(),
    endsAt: ends.toISOString(),
  };
  await http.post(`${alertmanager}/api/v2/alerts`, {
    json: [alert],
    signal,
    retry: { limit: 0 },
    followRedirect: false,
    timeout: { request: 10_000 },
  });
}

/** Durable in the database is what counts: from there it would act. */
async function waitFor({ config, signal }: Place, mark: string): Promise<boolean> {
  const probe = await openProbe(config);
  try {
    const until = performance.now() + arriveMs;
    while (performance.now() < until) {
      if (await probe.hasAlert(mark)) return true;
      await delay(pollMs, undefined, { signal });
    }
    return false;
  } finally {
    probe.close();
  }
}
