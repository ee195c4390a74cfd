import { randomBytes } from 'node:crypto';
import { isHtmlPage } from '../formats/html-page.ts';
import { type Check, type Level, levels, type Outcome, runCheck } from './check.ts';
import { basic } from './checks/auth.ts';
import { checks } from './checks.ts';
import type { Context } from './context.ts';
import { fail } from './errors.ts';
import { createFeed, type Feed, type FeedSettings } from './feed.ts';
import { planFixtures } from './fixtures.ts';
import { createJournal } from './journal.ts';
import { checkOwnKey } from './own-key.ts';
import { createPublisher, inParallel, type Publisher } from './publisher.ts';
import { discover, type Samples } from './samples.ts';
import { Violation } from './verdict.ts';
import { statusLine, textOf } from './wire/answer.ts';

export type Settings = {
  /** The source as a user types it. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  /** Without the 250 versions and 61 ids that show paging. */
  readonly isQuick: boolean;
  /** The least level that is checked. */
  readonly level: Level;
  /** Sections (`9`, `9.7`), areas (`paging`) or ids of checks; none: all. */
  readonly only: readonly string[];
  /** Ids to check with; none: whatever the feed has. */
  readonly packages: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
};

export type Result = { readonly check: Check; readonly outcome: Outcome };

/**
 * Runs the checks one after another and gives each result as it comes. What was pushed is taken back at the end, also
 * after an interruption.
 * @throws ConformanceError UNREACHABLE, CERTIFICATE, CREDENTIALS, REFUSED, INTERRUPTED
 */
export async function* runSuite(settings: Settings): AsyncGenerator<Result> {
  const { signal, progress } = settings;
  const journal = createJournal();
  const authorization =
    settings.credentials && basic(settings.credentials.user, settings.credentials.password);
  const connection = { authorization, timeoutMs: settings.timeoutMs, signal, journal };
  const feed = await enter({ ...connection, base: settings.url.replace(/[?#].*$/, '').replace(/\/+$/, '') });
  const prefix = newPrefix();
  if (settings.apiKey !== undefined) {
    // With a journal of its own: what another server answers to our question says nothing about its feed.
    const asking = createFeed({ ...connection, base: feed.base, journal: createJournal() });
    await checkOwnKey(asking, settings.apiKey, `${prefix}.all`);
  }
  const publisher =
    settings.apiKey === undefined ? undefined : createPublisher(feed, prefix, settings.apiKey);
  try {
    const push = publisher && (await prepare(publisher, settings));
    progress('Looking for packages to check with ...');
    const samples = await findSamples(feed, settings, push?.fixtures);
    progress(`${samples.ids.length} ids seen, the versions of ${samples.all.length} read.`);
    const context: Context = { feed, samples, journal, credentials: settings.credentials, push };
    for (const check of chosen(settings)) {
      signal.throwIfAborted();
      yield { check, outcome: await runCheck(check, context) };
    }
  } catch (error) {
    if (signal.aborted) fail('INTERRUPTED', {}, error);
    throw error;
  } finally {
    // Not bound to the signal: an interrupted run tidies up too.
    const tidying = createFeed({ ...connection, base: feed.base, signal: new AbortController().signal });
    if (publisher !== undefined) await tidy(publisher, tidying, progress);
  }
}

export function chosen({ level, only }: Pick<Settings, 'level' | 'only'>): Check[] {
  const wanted = levels.slice(0, levels.indexOf(level) + 1);
  return checks.filter(
    (check) =>
      wanted.includes(check.level) && (only.length === 0 || only.some((name) => isNamed(check, name))),
  );
}

/** `9` is 9 and 9.1; `paging` is the area; `paging/top` is one check. */
function isNamed({ section, id }: Check, name: string): boolean {
  return section === name || section.startsWith(`${name}.`) || id === name || id.startsWith(`${name}/`);
}

const maxRedirects = 5;

/** The base is where the service document is in the end (spec nuget-v2 2.2). */
async function enter(settings: FeedSettings): Promise<Feed> {
  let { base } = settings;
  for (let hop = 0; hop < maxRedirects; hop += 1) {
    const feed = createFeed({ ...settings, base });
    const answer = await feed.ask('').catch((error: unknown) => {
      if (settings.signal.aborted) fail('INTERRUPTED', {}, error);
      if (error instanceof Violation) {
        const code = /certificate/i.test(error.found) ? 'CERTIFICATE' : 'UNREACHABLE';
        fail(code, { url: base, cause: error.found }, error);
      }
      throw error;
    });
    const status = statusLine(answer);
    if (settings.authorization !== undefined && (answer.status === 401 || answer.status === 403))
      fail('REFUSED', { url: base, status });
    if (answer.status === 401) fail('CREDENTIALS', { url: base, status });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || location === undefined) {
      if (isHtmlPage(textOf(answer))) await requireList(feed);
      return feed;
    }
    if (!URL.canParse(location, `${base}/`))
      return fail('UNREACHABLE', { url: base, cause: 'it redirects to no address' });
    const next = new URL(location, `${base}/`).href.replace(/[?#].*$/, '').replace(/\/+$/, '');
    // Only the slash was missing: clients strip it again.
    if (next === base) return feed;
    base = next;
  }
  return fail('UNREACHABLE', { url: settings.base, cause: 'too many redirects' });
}

/** Some feeds have a page for people at their base; where the list is one as well, something else answers for the feed. */
async function requireList({ base, ask }: Feed): Promise<void> {
  const answer = await ask("FindPackagesById()?id='none'");
  if (!isHtmlPage(textOf(answer))) return;
  const cause = `${new URL(base).host} answers with a page of HTML, as a captive portal or a proxy does`;
  fail('UNREACHABLE', { url: base, cause });
}

function newPrefix(): string {
  return `conformance-${randomBytes(4).toString('hex')}`;
}

async function prepare(
  publisher: Publisher,
  { isQuick, progress }: Settings,
): Promise<NonNullable<Context['push']>> {
  const fixtures = planFixtures(publisher.prefix, isQuick);
  progress(
    `Pushing ${fixtures.recipes.length} small packages, all named ${publisher.prefix}.*; they are unlisted or deleted at the end.`,
  );
  progress('Where a feed only unlists, they stay in its database.');
  const refused: string[] = [];
  const [first, ...others] = fixtures.recipes;
  if (first !== undefined) await publisher.findWay(first).catch(describeRefusal);
  await inParallel(others, async (recipe) => {
    const answer = await publisher.publish(recipe).catch((error: unknown) => describeRefusal(error));
    if (typeof answer === 'string' || answer.status >= 300) {
      refused.push(
        `${recipe.id} ${recipe.version}: ${typeof answer === 'string' ? answer : statusLine(answer)}`,
      );
    }
  });
  for (const { id, version } of fixtures.withdrawn) {
    await publisher.unlist(id, version).catch(describeRefusal);
  }
  if (refused.length > 0) progress(`${refused.length} of them were refused, the first: ${refused[0]}`);
  return { publisher, fixtures };
}

function describeRefusal(error: unknown): string {
  if (error instanceof Violation) return error.found;
  throw error;
}

async function findSamples(
  feed: Feed,
  { packages }: Settings,
  fixtures: NonNullable<Context['push']>['fixtures'] | undefined,
): Promise<Samples> {
  if (fixtures === undefined) return discover(feed, packages);
  const ids = new Set(fixtures.recipes.map(({ id }) => id).filter((id) => !/\.id\d+$/.test(id)));
  const ours = await discover(feed, [...ids]);
  return ours.all.length > 0 ? ours : discover(feed, packages);
}

async function tidy(publisher: Publisher, feed: Feed, progress: Settings['progress']): Promise<void> {
  const { done, failed } = await publisher.takeBack(feed);
  progress(`${done} packages of this run were unlisted or deleted.`);
  if (failed.length > 0) {
    progress(
      `${failed.length} could not be, unlist them by hand: ${failed.slice(0, 3).join('; ')}${failed.length > 3 ? ' ...' : ''}`,
    );
  }
}
