import { afterAll, describe, expect, it } from 'vitest';
import { fixtures } from '../wire/fixtures.ts';
import { type RecordedRequest, readRecording } from '../wire/recording.ts';
import { type Fixture, give, type Meaning, openFixture } from '../wire/replay.ts';

/** Where this server answers otherwise than the one that was recorded, and why. */
const onPurpose: readonly {
  readonly why: string;
  readonly of: RegExp;
  readonly recorded: number;
  readonly answered: number;
}[] = [
  {
    why: 'The v3 index holds only addresses: open under READ_AUTH=feed, or choco push crashes on it.',
    of: /^GET \/v3\/index\.json /,
    recorded: 401,
    answered: 200,
  },
  {
    why: 'The bare address of the server was a page, which no client takes for a feed; now it leads to the feed.',
    of: /^GET \/ /,
    recorded: 200,
    answered: 302,
  },
  {
    why: 'Visual Studio names each framework of a solution.',
    of: /^GET \/v3\/search\?.*supportedFramework=.*supportedFramework=/,
    recorded: 400,
    answered: 200,
  },
  {
    why: 'Completion over v2 was missing.',
    of: /^GET \/nuget\/package-(ids|versions)\b/,
    recorded: 404,
    answered: 200,
  },
];

const otherwise = ({ line, answered }: RecordedRequest) =>
  onPurpose.find(({ of, recorded }) => recorded === answered && of.test(line));

describe.each(Object.entries(fixtures))('what %s sends', (name, choices) => {
  const open = new Map<number, Promise<Fixture>>();
  const fixtureOf = (command: string): Promise<Fixture> => {
    const at = choices.findIndex(({ of }) => of === undefined || of.test(command));
    const choice = choices[at];
    if (choice === undefined) throw new Error(`no fixture for ${command}`);
    const fixture = open.get(at) ?? openFixture(choice);
    open.set(at, fixture);
    return fixture;
  };
  afterAll(async () => {
    for (const fixture of open.values()) await (await fixture).server.stop();
  });

  for (const [index, recorded] of readRecording(name).entries()) {
    const { command, section } = recorded;
    const title = `${index + 1}. ${command}${section === undefined ? '' : ` (section ${section})`}`;
    it(title, async () => {
      const answers = await give(await fixtureOf(command), recorded);

      const expected = recorded.requests.flatMap((request) =>
        Array<RecordedRequest>(request.times ?? 1).fill(request),
      );
      expect(answers.map((answer, at) => asked(answer, expected[at]))).toEqual(expected.map(meaningOf));
    });
  }
});

/** Of an answer, what the recording asks of it. */
function asked(answer: Meaning, request: RecordedRequest | undefined): Partial<Meaning> {
  const wanted = new Set(Object.keys(request ?? {}));
  return Object.fromEntries(Object.entries(answer).filter(([field]) => wanted.has(field)));
}

function meaningOf(request: RecordedRequest): Partial<Meaning> {
  const { headers: _headers, firstPart: _part, bodyBytes: _bytes, times: _times, ...meaning } = request;
  return { ...meaning, answered: otherwise(request)?.answered ?? request.answered };
}

describe('intentional differences from recorded answers', () => {
  it.each(onPurpose)('is in a recording: $why', (one) => {
    const all = Object.keys(fixtures).flatMap((name) =>
      readRecording(name).flatMap(({ requests }) => requests),
    );

    expect(all.some((request) => otherwise(request) === one)).toBe(true);
  });
});
