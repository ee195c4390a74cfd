import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { stable } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';

/** Reading with a password (spec nuget-v2 2.4). */
export const authChecks: readonly Check[] = [
  {
    id: 'auth/challenge',
    section: '2.4',
    title: 'without credentials 401 with WWW-Authenticate: Basic',
    level: 'must',
    breaks: 'choco and nuget.exe ask for or send credentials only after this challenge',
    async run(context) {
      const { feed } = protectedFeed(context);
      const answer = await feed.ask('/Packages()?$top=1', { isAnonymous: true });
      demand(answer.status === 401, answer, 'status 401', statusLine(answer));
      const challenge = answer.headers['www-authenticate'] ?? '';
      demand(
        /\bbasic\b/i.test(challenge),
        answer,
        'WWW-Authenticate: Basic realm="..."',
        challenge || 'none',
      );
    },
  },
  {
    id: 'auth/everywhere',
    section: '2.4',
    title: 'all reading is protected alike, downloads too',
    level: 'must',
    breaks: 'the feed: whoever knows an address reads without a password',
    async run(context) {
      const { feed, samples } = protectedFeed(context);
      const { entry } = stable(samples);
      const paths = [
        '/$metadata',
        '/Search()?$top=1',
        "/FindPackagesById()?id='x'",
        '/Packages()/$count',
        `/Packages(Id='${entry.id}',Version='${entry.version}')`,
        `/package/${entry.id}/${entry.version}`,
      ];
      for (const path of paths) {
        const answer = await feed.ask(path, { isAnonymous: true });
        demand(answer.status === 401, answer, 'status 401', statusLine(answer));
      }
      const answer = await feed.askAddress(entry.source ?? '', { isAnonymous: true });
      demand(answer.status === 401, answer, 'status 401', statusLine(answer));
    },
  },
  {
    id: 'auth/wrong-password',
    section: '2.4',
    title: 'a wrong password is 401 again',
    level: 'must',
    breaks: 'clients ask again after 401 alone',
    async run(context) {
      const { feed, credentials } = protectedFeed(context);
      const answer = await feed.ask('/Packages()?$top=1', {
        headers: { Authorization: basic(credentials?.user ?? '', 'wrong') },
      });
      demand(answer.status === 401, answer, 'status 401', statusLine(answer));
    },
  },
  {
    id: 'auth/empty-password',
    section: '18.3',
    title: 'an empty user and password are none: answered as without credentials',
    level: 'should',
    breaks:
      '.NET clients send them after a 401 when they have no credentials, and then report a wrong password',
    async run(context) {
      const { feed } = protectedFeed(context);
      const bare = await feed.ask('/Packages()?$top=1', { isAnonymous: true });
      const answer = await feed.ask('/Packages()?$top=1', { headers: { Authorization: basic('', '') } });
      demand(statusLine(answer) === statusLine(bare), answer, statusLine(bare), statusLine(answer));
    },
  },
  {
    id: 'auth/latin1',
    section: '2.4',
    title: 'a password outside ASCII is taken as UTF-8 and as Latin-1',
    level: 'should',
    breaks: 'choco 1.x and nuget.exe send Latin-1: umlauts lock their users out',
    async run(context) {
      const { feed, credentials } = protectedFeed(context);
      const { user, password } = credentials ?? { user: '', password: '' };
      if (!/[\u{80}-\u{ff}]/u.test(password)) skip('the password has no such character');
      const answer = await feed.ask('/Packages()?$top=1', {
        headers: { Authorization: basic(user, password, 'latin1') },
      });
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
    },
  },
];

export function basic(user: string, password: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return `Basic ${Buffer.from(`${user}:${password}`, encoding).toString('base64')}`;
}

function protectedFeed(context: Context): Context {
  return context.credentials === undefined ? skip('needs --user') : context;
}
