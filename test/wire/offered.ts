import { parseStringPromise } from 'xml2js';
import { sendRaw } from './raw-http.ts';
import { readRecording } from './recording.ts';

/** Commands that ask for delve's newest version: by search, by filter, and by the list of all versions, over v2 and v3. */
const asking: readonly (readonly [recording: string, command: string])[] = [
  ['choco-2.7.3', 'choco info delve -s URL'],
  ['choco-2.7.3', 'choco search delve -s URL'],
  ['choco-2.7.3', 'choco search delve --exact --all-versions -s URL'],
  ['choco-2.7.3', 'choco info delve -s V3URL'],
  ['choco-2.7.3', 'choco search delve -s V3URL'],
  ['choco-2.7.3', 'choco search delve --exact --all-versions -s V3URL'],
  ['choco-0.10.15', 'info delve -s URL'],
];

const recorded = asking.map(([name, command]) => {
  const found = readRecording(name).find((each) => each.command === command);
  if (found === undefined) throw new Error(`${command} is not in ${name}`);
  return found.requests;
});

/**
 * The newest stable version of a tool that the machine is offered, as choco asks for it at the machine's own addresses: `machine` draws
 * one of the recorded commands, whose requests are sent as they were recorded.
 */
export async function offeredByChoco(
  url: string,
  id: string,
  tool: string,
  machine: number,
): Promise<string | undefined> {
  let versions: readonly string[] = [];
  for (const { line, headers } of recorded[machine % recorded.length] ?? []) {
    const own = line.replace(/^GET \/(nuget|v3)/, `GET /$1/c/${id}`).replaceAll('delve', tool);
    const answer = await sendRaw(url, own, { ...headers, Host: new URL(url).host });
    if (answer.status !== 200) throw new Error(`${own}: ${answer.status} ${answer.reason}`);
    const body = answer.body.toString();
    versions = await (/json/.test(answer.headers.get('content-type') ?? '') ? inJson(body) : inFeed(body));
  }
  return versions
    .filter((version) => !version.includes('-'))
    .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .at(-1);
}

type FeedEntry = Record<string, Record<string, (string | { _: string })[]>[]>;

/** The listed versions in a v2 feed. */
async function inFeed(xml: string): Promise<string[]> {
  const { feed } = await parseStringPromise(xml);
  const entries: FeedEntry[] = feed?.entry ?? [];
  return entries.flatMap((entry) => {
    const text = (name: string): string => {
      const value = entry['m:properties']?.[0]?.[`d:${name}`]?.[0];
      return typeof value === 'string' ? value : (value?._ ?? '');
    };
    return text('Published').startsWith('1900-') ? [] : [text('Version')];
  });
}

type Leaf = { readonly catalogEntry: { readonly version: string; readonly listed: boolean } };
type V3Document = {
  readonly data?: readonly { readonly version: string }[];
  readonly items?: readonly { readonly items: readonly Leaf[] }[];
};

/** The listed versions in a v3 search or registration. */
function inJson(json: string): string[] {
  const { data = [], items = [] } = JSON.parse(json) as V3Document;
  const leaves = items.flatMap((page) => page.items.map(({ catalogEntry }) => catalogEntry));
  return [...data, ...leaves.filter(({ listed }) => listed)].map(({ version }) => version);
}
