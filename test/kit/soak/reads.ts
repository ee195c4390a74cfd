import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from './history.ts';
import { type Question, questionsAbout, readCounts } from './questions.ts';
import { common, keyOf, type Soak } from './soak.ts';

/** Asks one question after the other over a connection of its own, and compares each answer with what the feed may show. */
export async function keepReading(soak: Soak, reader: number, everyMs: number): Promise<void> {
  const { histories, digests } = soak;
  const questions = questionsAbout(common, (id, version) => digests.get(keyOf(id, version)) ?? '');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = reader; !soak.isOver(); turn += 1) {
    const question = questions[turn % questions.length];
    const history = histories[(turn * 7 + reader) % histories.length];
    if (question !== undefined && history !== undefined) await ask(soak, question, history, turn, agent);
    await sleep(everyMs);
  }
  agent.destroy();
}

async function ask(
  { url, histories, downloads, report }: Soak,
  question: Question,
  history: History,
  turn: number,
  agent: Agent,
): Promise<void> {
  const { id } = history;
  const state = history.now();
  const version = state[turn % Math.max(state.length, 1)]?.version ?? '1.0.0';
  const path = question.path(id, version);
  const asked = question.isAboutAll ? histories : [history];
  const watched = asked.map((one) => ({ id: one.id, states: one.watch() }));
  const { status, body } = await get(`${url}${path}`, agent);
  // 410: it was purged.
  if (![200, 404, 410].includes(status)) return report(`${path}: ${status} ${body}`);
  if (status === 200 && question.isDownload) {
    const key = keyOf(id, version);
    downloads.set(key, (downloads.get(key) ?? 0) + 1);
  }
  const shown = status === 200 ? question.read(body, id) : new Map<string, readonly string[]>();
  for (const one of watched) {
    const found = lines(shown.get(one.id) ?? []);
    const possible = one.states().map((state) => lines(question.expected(state, one.id, version)));
    if (!possible.includes(found)) report(`${path}: ${one.id}: ${found}; not: ${possible.join('; or ')}`);
  }
}

function lines(shown: readonly string[]): string {
  return [...shown].sort().join(', ');
}

function get(url: string, agent: Agent): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      const pieces: Buffer[] = [];
      answer
        .on('data', (piece: Buffer) => pieces.push(piece))
        .once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces) }))
        .once('error', reject);
    })
      .once('error', reject)
      .end();
  });
}

/** Versions whose count is another than that of the downloads that were taken. */
export async function wrongCounts({ url, histories, downloads }: Soak): Promise<string[]> {
  const wrong: string[] = [];
  for (const { id, now } of histories) {
    const answer = await fetch(`${url}/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`);
    const counts = readCounts(await answer.text());
    for (const { version } of now()) {
      const taken = downloads.get(keyOf(id, version)) ?? 0;
      const shown = counts.get(version);
      if (shown !== taken) wrong.push(`${id} ${version}: ${shown} downloads, not ${taken}`);
    }
  }
  return wrong;
}
