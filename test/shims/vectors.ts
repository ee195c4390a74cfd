import type * as z from 'zod';
import type { Policy } from '../../shims/policy.ts';

/** Where the tool's own program lies; each form has one for its platform. */
export const program = Symbol('the tool');
/** A link to a folder beside it: Scoop's `current` is a junction to the version. */
export type Link = { readonly linkTo: string };
/** The full path of a file of the fixture, as the form's platform writes it. */
export type At = (path: string) => string;
type Content = string | typeof program | Link | ((at: At) => string);
export type Files = Readonly<Record<string, Content>>;

/** A made-up machine and what must come of it, in every form. Paths are below its folder. */
export type Vector = {
  readonly name: string;
  readonly policy?: z.input<typeof Policy> | ((at: At) => z.input<typeof Policy>);
  readonly files: readonly Files[];
  /** Beside USERPROFILE and ProgramData; undefined takes one away. */
  readonly env?: (at: At) => Readonly<Record<string, string | undefined>>;
  /** Behind the folder of the shims. */
  readonly path?: readonly string[];
  /** Folders and files that all users may change. */
  readonly open?: readonly string[];
  /** The program that runs, or our own exit code. */
  readonly ends: string | number;
  /** The child's PATH behind the folder of the shims, where it is not the caller's. */
  readonly childPath?: readonly string[];
  /** A form for which what runs the tests here can't show it. */
  readonly exceptFor?: 'cmd';
  /** What stderr has. */
  readonly says?: (at: At) => readonly string[];
};

export const user = 'profile/scoop/apps/delve/current/dlv.exe';
export const global = 'data/scoop/apps/delve/current/dlv.exe';
export const choco = 'data/chocolatey/lib/delve/tools/dlv.exe';

type ScoopLayout = { root?: string; folder?: string; metadata?: string; before?: string };

function scoopHas(
  version: string,
  { root = 'profile/scoop', folder = 'current', ...how }: ScoopLayout = {},
): Files {
  const at = `${root}/apps/delve/${folder}`;
  const { metadata = 'scoop-manifest.json', before = '' } = how;
  const manifest = { version, description: 'A "version": of a debugger', architecture: { '64bit': {} } };
  return {
    [`${at}/dlv.exe`]: program,
    [`${at}/${metadata}`]: before + JSON.stringify(manifest, null, 4).replaceAll('\n', '\r\n'),
    [`${at}/${metadata.replace('manifest', 'install')}`]: '{\r\n    "bucket": "go-win-tools"\r\n}\r\n',
  };
}

function globalHas(version: string): Files {
  return scoopHas(version, { root: 'data/scoop' });
}

function chocoHas(version: string, root = 'data/chocolatey'): Files {
  return {
    [`${root}/lib/delve/tools/dlv.exe`]: program,
    [`${root}/lib/delve/delve.nuspec`]: `<?xml version="1.0" encoding="utf-8"?>\r\n<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">\r\n  <metadata>\r\n    <id>delve</id>\r\n    <version>${version}</version>\r\n  </metadata>\r\n</package>\r\n`,
  };
}

function withMark(files: Files): Files {
  const marked = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === 'string' ? `\uFEFF${content}` : content,
  ]);
  return Object.fromEntries(marked);
}

/** Windows PowerShell's JSON has `&` and `'` as numbers. */
function scoopConfig(file: string, values: (at: At) => Readonly<Record<string, string>>): Files {
  return {
    [file]: (at) =>
      JSON.stringify({ last_update: 'x', ...values(at) }, null, 2)
        .replaceAll('&', '\\u0026')
        .replaceAll("'", '\\u0027'),
  };
}

const both = [scoopHas('1.2.0'), chocoHas('1.10.0')];
const shimsInFront: Files = {
  'data/chocolatey/bin/dlv.exe': 'a shim',
  'profile/scoop/shims/dlv.exe': 'a shim',
  'profile/scoop/shims/dlv.shim': 'path = "somewhere"',
};

/** What anybody may write where a version is looked for. None of it is one, so that it is the oldest, and none is a command. */
const noVersions: readonly string[] = [
  '9.0&echo stolen&rem ',
  '9.0"&echo stolen&"',
  '9.0" & echo stolen & rem "',
  '"9.0"',
  '%PATH%',
  '9%PROBE_EXIT:~0,1%',
  '9.0^',
  '9.0|more',
  '9.0$(echo stolen)`echo stolen`',
  '9!PATH!',
  "9.0'",
  ';9.0',
  '9.0 ',
  '9_0',
  '-9.0',
  '9.0\r\n&echo stolen',
  '9.0\u00e9',
  `9.${'0'.repeat(200)}`,
  '9'.repeat(9_000),
];

export const vectors: readonly Vector[] = [
  // what strangers write
  ...noVersions.flatMap((version): Vector[] => {
    const shown = version.length > 40 ? `${version.length} digits` : JSON.stringify(version);
    return [
      { name: `a nuspec with ${shown}`, files: [globalHas('0.1.0'), chocoHas(version)], ends: global },
      { name: `a manifest with ${shown}`, files: [scoopHas(version), chocoHas('0.1.0')], ends: choco },
    ];
  }),
  ...['data', 'data/chocolatey', 'data/chocolatey/lib/delve', choco].map(
    (place): Vector => ({
      name: `all users may change ${place}`,
      files: [scoopHas('0.1.0'), chocoHas('9.0')],
      open: [place],
      ends: user,
    }),
  ),
  {
    name: 'all users may change the folder of Scoop global, and the next that is there is not the newest',
    files: [globalHas('9.0'), chocoHas('1.0'), scoopHas('0.1.0')],
    open: ['data/scoop/apps'],
    ends: choco,
  },
  {
    name: "all users may change the caller's own Scoop: it is for the caller to know",
    files: [scoopHas('9.0'), chocoHas('1.0')],
    open: ['profile/scoop'],
    ends: user,
  },
  {
    name: "a SCOOP that is the folder all share is not the caller's own",
    files: [globalHas('9.0'), chocoHas('1.0')],
    open: ['data/scoop'],
    env: (at) => ({ SCOOP: at('data/scoop') }),
    ends: choco,
  },
  {
    name: 'nothing that is there is trusted: 126, the folders and what to do',
    files: [globalHas('9.0'), chocoHas('1.0')],
    open: ['data/scoop', 'data/chocolatey/lib'],
    ends: 126,
    says: (at) => [
      'nothing of what is there may run',
      at(choco),
      at(global),
      'not trusted: ',
      `icacls "${at('data/scoop')}" /setowner`,
      `icacls "${at('data/chocolatey')}" /inheritance:r`,
    ],
  },
  {
    name: 'pinned to what is not trusted: 126',
    policy: { prefer: 'pinned', pin: '9.0' },
    files: [globalHas('9.0'), chocoHas('1.0')],
    open: ['data/scoop'],
    ends: 126,
    says: () => ['none is the pinned version 9.0', 'not trusted: '],
  },
  {
    name: 'explain tells what is not trusted',
    files: [globalHas('9.0'), chocoHas('1.0')],
    open: ['data/scoop'],
    env: () => ({ GO_WIN_TOOLS_EXPLAIN: '1' }),
    ends: 0,
    says: () => ['delve: prefer newest', 'not trusted: ', '> choco'],
  },
  {
    name: 'a nuspec with a byte order mark',
    files: [globalHas('0.1.0'), withMark(chocoHas('0.2.0'))],
    ends: choco,
  },
  {
    name: '128 characters of a version',
    files: [chocoHas(`9.0-${'a'.repeat(124)}`), globalHas('8.0')],
    ends: choco,
  },
  {
    name: 'no_junction: folders that are no versions',
    files: [
      scoopHas('1.9.0', { folder: '1.9.0' }),
      scoopHas('9.0&echo stolen', { folder: '9.0&echo stolen' }),
      scoopHas('%PATH%', { folder: '%PATH%' }),
      scoopHas('9^0', { folder: '9^0' }),
      scoopHas('9 0', { folder: '9 0' }),
      // wine's for /f wants a profile for its temporary files
      { 'profile/readme.txt': '' },
    ],
    ends: 'profile/scoop/apps/delve/1.9.0/dlv.exe',
  },
  // who is there
  { name: 'only Scoop', files: [scoopHas('1.2.0')], ends: user },
  { name: 'only Scoop global', files: [globalHas('1.2.0')], ends: global },
  { name: 'only Chocolatey', files: [chocoHas('1.2.0')], ends: choco },
  {
    name: 'nothing there: 127 and where was looked',
    files: [],
    ends: 127,
    says: (at) => [
      'delve: it is not installed.',
      at(user),
      at(global),
      at(choco),
      'choco install delve',
      'scoop install go-win-tools/delve',
    ],
  },
  // newest
  { name: 'the newest, by number', files: both, ends: choco },
  { name: 'a release beats its betas', files: [scoopHas('1.22.0'), chocoHas('1.22.0-beta.2')], ends: user },
  {
    name: 'beta.10 beats beta.2',
    files: [scoopHas('1.22.0-beta.2'), chocoHas('1.22.0-beta.10')],
    ends: choco,
  },
  { name: 'rc beats beta', files: [scoopHas('1.22.0-beta.2'), chocoHas('1.22.0-rc.1')], ends: choco },
  { name: 'four numbers beat three', files: [scoopHas('1.22.0'), chocoHas('1.22.0.1')], ends: choco },
  { name: '1.22 is 1.22.0: the first of equals', files: [scoopHas('1.22.0'), chocoHas('1.22')], ends: user },
  { name: 'no version is the oldest', files: [{ [user]: program }, chocoHas('0.1.0')], ends: choco },
  { name: 'of three', files: [...both, globalHas('1.11.0')], ends: global },
  { name: 'digits with zeros before', files: [scoopHas('1.08.0'), chocoHas('1.9.0')], ends: choco },
  // prefer
  { name: 'prefer scoop', policy: { prefer: 'scoop' }, files: both, ends: user },
  {
    name: 'prefer scoop: global is Scoop',
    policy: { prefer: 'scoop' },
    files: [globalHas('1.0.0'), chocoHas('2.0.0')],
    ends: global,
  },
  {
    name: 'prefer choco',
    policy: { prefer: 'choco' },
    files: [scoopHas('2.0.0'), chocoHas('1.0.0')],
    ends: choco,
  },
  {
    name: 'prefer choco, which is not there',
    policy: { prefer: 'choco' },
    files: [scoopHas('2.0.0')],
    ends: user,
  },
  {
    name: 'what is said of one tool beats what is said of all',
    policy: { prefer: 'scoop', tools: { delve: { prefer: 'choco' } } },
    files: [scoopHas('2.0.0'), chocoHas('1.0.0')],
    ends: choco,
  },
  // pinned
  { name: 'pinned', policy: { prefer: 'pinned', pin: '1.2.0' }, files: both, ends: user },
  {
    name: 'pinned to a beta',
    policy: { prefer: 'pinned', pin: '1.3.0-beta.1' },
    files: [scoopHas('1.3.0'), chocoHas('1.3.0-beta.1')],
    ends: choco,
  },
  {
    name: 'pinned to what is not there: 126',
    policy: { prefer: 'pinned', pin: '1.3.0' },
    files: both,
    ends: 126,
    says: (at) => ['none is the pinned version 1.3.0', at(user), at(choco)],
  },
  { name: 'pinned, nothing there: 127', policy: { prefer: 'pinned', pin: '1.3.0' }, files: [], ends: 127 },
  {
    name: 'pinned, in another case of letters, which both managers take for the same',
    policy: { prefer: 'pinned', pin: '1.3.0-RC.1' },
    files: [scoopHas('1.3.0'), chocoHas('1.3.0-rc.1')],
    ends: choco,
  },
  // deny
  { name: 'a denied manager', policy: { deny: ['choco'] }, files: both, ends: user },
  { name: 'a denied version', policy: { deny: ['1.10'] }, files: both, ends: user },
  {
    name: 'all denied: 126',
    policy: { deny: ['choco', '1.2.0'] },
    files: both,
    ends: 126,
    says: () => ['nothing of what is there may run', 'denied: choco', 'denied: 1.2.0'],
  },
  {
    name: 'pinned to what is denied',
    policy: { prefer: 'pinned', pin: '1.10.0', deny: ['choco'] },
    files: both,
    ends: 126,
  },
  // paths
  {
    name: 'a path of the policy that is newer',
    policy: () => ({ tools: { delve: { paths: [{ path: '%TOOLS%\\dlv.exe', version: '3.0.0' }] } } }),
    env: (at) => ({ TOOLS: at('own') }),
    files: [...both, { 'own/dlv.exe': program }],
    ends: 'own/dlv.exe',
  },
  {
    name: 'a path without a version, alone; a variable in another case',
    policy: { tools: { delve: { paths: ['%tools%\\dlv.exe'] } } },
    env: (at) => ({ TOOLS: at('own') }),
    files: [{ 'own/dlv.exe': program }],
    ends: 'own/dlv.exe',
  },
  {
    name: 'a path below a variable whose name no shell can write (bash)',
    policy: { tools: { delve: { paths: ['%Tools(x86)%\\dlv.exe'] } } },
    env: (at) => ({ 'Tools(x86)': at('own') }),
    files: [{ 'own/dlv.exe': program }],
    ends: 'own/dlv.exe',
  },
  {
    name: 'a path without a version against an install',
    policy: { tools: { delve: { paths: ['%TOOLS%\\dlv.exe'] } } },
    env: (at) => ({ TOOLS: at('own') }),
    files: [scoopHas('0.1.0'), { 'own/dlv.exe': program }],
    ends: user,
  },
  {
    name: 'a path whose variable is not set is no path',
    policy: { tools: { delve: { paths: [{ path: '%TOOLS%\\dlv.exe', version: '9.0.0' }] } } },
    files: [scoopHas('0.1.0')],
    ends: user,
  },
  ...['data/chocolatey/bin', 'profile/scoop/shims', 'other-shims', 'shims'].map((folder) => ({
    name: `a path of the policy that is a shim, in ${folder}`,
    policy: { tools: { delve: { paths: [{ path: '%TOOLS%\\dlv.exe', version: '9.0.0' }] } } },
    env: (at: At) => ({ TOOLS: at(folder) }),
    files: [
      scoopHas('0.1.0'),
      shimsInFront,
      { 'other-shims/dlv.exe': 'x', 'other-shims/dlv.shim.json': '{}' },
    ],
    ends: user,
  })),
  // where the managers are
  {
    name: 'Scoop 0.5 metadata',
    files: [scoopHas('1.2.0', { metadata: 'manifest.json' }), chocoHas('1.1.0')],
    ends: user,
  },
  {
    name: 'metadata with a byte order mark',
    files: [scoopHas('1.2.0', { before: '\uFEFF' }), chocoHas('1.1.0')],
    ends: user,
  },
  {
    name: 'both generations: the newer one speaks',
    files: [{ 'profile/scoop/apps/delve/current/manifest.json': '{\n    "version": "9.0.0"\n}' }, ...both],
    ends: choco,
  },
  {
    name: 'SCOOP',
    files: [scoopHas('2.0.0', { root: 'own/my scoop' }), ...both],
    env: (at) => ({ SCOOP: at('own/my scoop') }),
    ends: 'own/my scoop/apps/delve/current/dlv.exe',
  },
  {
    name: 'current as Scoop makes it, a link to the version: it is what runs, whatever it leads to by then',
    files: [
      scoopHas('1.11.0', { folder: '1.11.0' }),
      { 'profile/scoop/apps/delve/current': { linkTo: '1.11.0' } },
      chocoHas('1.10.0'),
    ],
    ends: user,
  },
  {
    name: 'a profile that is not ASCII, with Scoop where it is by itself',
    files: [scoopHas('2.0.0', { root: 'J\u00fcrgen \u65e5\u672c\u8a9e/scoop' }), ...both],
    env: (at) => ({ USERPROFILE: at('J\u00fcrgen \u65e5\u672c\u8a9e') }),
    ends: 'J\u00fcrgen \u65e5\u672c\u8a9e/scoop/apps/delve/current/dlv.exe',
  },
  {
    name: 'a profile with what scripts trip over',
    files: [scoopHas('2.0.0', { root: "own/J\u00fcrgen & Co's (x86) ^!/scoop" }), ...both],
    env: (at) => ({ SCOOP: at("own/J\u00fcrgen & Co's (x86) ^!/scoop") }),
    ends: "own/J\u00fcrgen & Co's (x86) ^!/scoop/apps/delve/current/dlv.exe",
  },
  {
    name: 'a profile with a percent sign',
    files: [scoopHas('2.0.0', { root: 'own/100% sure/scoop' }), ...both],
    env: (at) => ({ SCOOP: at('own/100% sure/scoop') }),
    ends: 'own/100% sure/scoop/apps/delve/current/dlv.exe',
    exceptFor: 'cmd', // wine's cmd drops a lone %, Windows' does not
  },
  {
    name: 'SCOOP_GLOBAL',
    files: [scoopHas('2.0.0', { root: 'own/g' }), ...both],
    env: (at) => ({ SCOOP_GLOBAL: at('own/g') }),
    ends: 'own/g/apps/delve/current/dlv.exe',
  },
  {
    name: 'ChocolateyInstall',
    files: [scoopHas('1.0.0'), chocoHas('2.0.0', 'own/choco')],
    env: (at) => ({ ChocolateyInstall: at('own/choco') }),
    ends: 'own/choco/lib/delve/tools/dlv.exe',
  },
  {
    name: "Scoop's configuration: root_path",
    files: [
      scoopHas('2.0.0', { root: 'own/s' }),
      ...both,
      scoopConfig('profile/.config/scoop/config.json', (at) => ({ root_path: at('own/s') })),
    ],
    ends: 'own/s/apps/delve/current/dlv.exe',
  },
  {
    name: "Scoop's configuration: a root_path with what JSON writes in another way",
    files: [
      scoopHas('2.0.0', { root: "own/O'Brien & Co (x86)" }),
      ...both,
      scoopConfig('profile/.config/scoop/config.json', (at) => ({
        root_path: at("own/O'Brien & Co (x86)"),
      })),
    ],
    ends: "own/O'Brien & Co (x86)/apps/delve/current/dlv.exe",
  },
  {
    name: "Scoop's configuration: a root_path that is not ASCII",
    files: [
      scoopHas('2.0.0', { root: 'own/J\u00f6rg/scoop' }),
      ...both,
      scoopConfig('profile/.config/scoop/config.json', (at) => ({ root_path: at('own/J\u00f6rg/scoop') })),
    ],
    ends: 'own/J\u00f6rg/scoop/apps/delve/current/dlv.exe',
    exceptFor: 'cmd', // cmd reads files in the console's code page
  },
  {
    name: "Scoop's configuration: global_path, below XDG_CONFIG_HOME",
    files: [
      scoopHas('2.0.0', { root: 'own/g' }),
      ...both,
      scoopConfig('xdg/scoop/config.json', (at) => ({
        root_path: at('profile/scoop'),
        global_path: at('own/g'),
      })),
    ],
    env: (at) => ({ XDG_CONFIG_HOME: at('xdg') }),
    ends: 'own/g/apps/delve/current/dlv.exe',
  },
  {
    name: 'the environment beats the configuration',
    files: [
      scoopHas('2.0.0', { root: 'own/e' }),
      scoopHas('3.0.0', { root: 'own/s' }),
      scoopConfig('profile/.config/scoop/config.json', (at) => ({ root_path: at('own/s') })),
    ],
    env: (at) => ({ SCOOP: at('own/e') }),
    ends: 'own/e/apps/delve/current/dlv.exe',
  },
  {
    name: 'no_junction: the version installed last, none that is half there or that Scoop put aside',
    files: [
      scoopHas('1.10.0', { folder: '1.10.0' }),
      scoopHas('1.9.0', { folder: '1.9.0', metadata: 'manifest.json' }),
      scoopHas('_1.11.0.old', { folder: '_1.11.0.old' }),
      { 'profile/scoop/apps/delve/1.12.0/install.json': '{}' },
      { 'profile/scoop/apps/delve/1.13.0/dlv.exe': program },
      chocoHas('1.8.5'),
    ],
    ends: 'profile/scoop/apps/delve/1.9.0/dlv.exe',
  },
  {
    name: 'no_junction, in a folder with what scripts trip over',
    files: [
      scoopHas('1.10.0', { root: "own/J\u00fcrgen & Co's (x86) ^!/scoop", folder: '1.10.0' }),
      scoopHas('1.9.0', { root: "own/J\u00fcrgen & Co's (x86) ^!/scoop", folder: '1.9.0' }),
      // wine's for /f wants a profile for its temporary files
      { 'profile/readme.txt': '' },
    ],
    env: (at) => ({ SCOOP: at("own/J\u00fcrgen & Co's (x86) ^!/scoop") }),
    ends: "own/J\u00fcrgen & Co's (x86) ^!/scoop/apps/delve/1.9.0/dlv.exe",
  },
  {
    name: 'no_junction: over both generations of Scoop, the newer one last',
    files: [
      scoopHas('1.10.0', { folder: '1.10.0', metadata: 'manifest.json' }),
      scoopHas('1.9.0', { folder: '1.9.0' }),
    ],
    ends: 'profile/scoop/apps/delve/1.9.0/dlv.exe',
  },
  {
    name: 'no profile and no ProgramData: a working folder has no say',
    files: [],
    env: () => ({
      USERPROFILE: undefined,
      ProgramData: undefined,
      HOME: undefined,
      XDG_CONFIG_HOME: undefined,
    }),
    ends: 127,
  },
  {
    name: 'a SCOOP that ends with a slash',
    files: both,
    env: (at) => ({ SCOOP: `${at('profile/scoop')}/` }),
    path: ['profile/scoop/apps/delve/current', 'a'],
    ends: choco,
    childPath: ['a'],
  },
  {
    name: 'a relative SCOOP is no place',
    files: [chocoHas('1.0.0')],
    env: () => ({ SCOOP: 'scoop', SCOOP_GLOBAL: 'scoop' }),
    ends: choco,
  },
  // the child's PATH
  {
    name: 'PATH loses what is inside the losing install, in any case, with an end or not, in order',
    files: both,
    path: [
      'b',
      'PROFILE/Scoop/apps/DELVE/current/',
      'profile/scoop/apps/delve',
      'profile/scoop/apps/delve-tools/current',
      'profile/scoop/shims',
      'data/chocolatey/lib/delve/tools',
      'data/chocolatey/bin',
      'a',
    ],
    ends: choco,
    childPath: [
      'b',
      'profile/scoop/apps/delve-tools/current',
      'profile/scoop/shims',
      'data/chocolatey/lib/delve/tools',
      'data/chocolatey/bin',
      'a',
    ],
  },
  {
    name: 'strict: also the shims of the loser',
    policy: { sandbox: 'strict' },
    files: both,
    path: ['profile/scoop/shims', 'b', 'PROFILE/scoop/SHIMS/', 'data/chocolatey/bin', 'a'],
    ends: choco,
    childPath: ['b', 'data/chocolatey/bin', 'a'],
  },
  {
    name: 'strict the other way round',
    policy: { sandbox: 'strict', prefer: 'scoop' },
    files: both,
    path: ['data/chocolatey/lib/delve/tools/', 'data/chocolatey/bin/', 'profile/scoop/shims', 'a'],
    ends: user,
    childPath: ['profile/scoop/shims', 'a'],
  },
  {
    name: 'strict, but nobody lost: PATH as it was',
    policy: { sandbox: 'strict' },
    files: [scoopHas('1.0.0')],
    path: ['data/chocolatey/bin', 'profile/scoop/shims'],
    ends: user,
  },
  {
    name: 'quotes in PATH stay where they are',
    files: both,
    path: ['"own bin (x86)"', 'profile/scoop/apps/delve/current', '"b"'],
    ends: choco,
    childPath: ['"own bin (x86)"', '"b"'],
  },
  {
    name: 'entries of PATH that are empty stay where they are',
    files: both,
    path: ['', 'a', '', '', '', 'profile/scoop/apps/delve/current', '', 'b'],
    ends: choco,
    childPath: ['', 'a', '', '', '', '', 'b'],
  },
  {
    name: "variables of the caller's that are named as ours",
    policy: { sandbox: 'strict' },
    files: both,
    env: (at) => ({ 'home_scoop-global': at('a'), 'shared_scoop-global': at('b') }),
    path: ['a', 'b'],
    ends: choco,
  },
  // circles
  {
    name: "our folder again, and the managers' shims in front",
    files: [...both, shimsInFront],
    path: ['data/chocolatey/bin', 'shims', 'profile/scoop/shims', 'shims/'],
    ends: choco,
  },
  {
    name: 'the last net',
    files: both,
    env: () => ({ GO_WIN_TOOLS_DEPTH: '64' }),
    ends: 126,
    says: () => ['circles'],
  },
  { name: 'nested calls are legitimate', files: both, env: () => ({ GO_WIN_TOOLS_DEPTH: '3' }), ends: choco },
  // explain and bypass
  {
    name: 'explain runs nothing',
    policy: { deny: ['1.11.0'] },
    files: [...both, globalHas('1.11.0')],
    env: () => ({ GO_WIN_TOOLS_EXPLAIN: '1', GO_WIN_TOOLS_BYPASS: '1' }),
    ends: 0,
    says: (at) => [
      'delve: prefer newest, sandbox default',
      at(user),
      '1.2.0',
      at(choco),
      '1.10.0',
      'denied: 1.11.0',
      '> choco',
      'it is the newest',
    ],
  },
  {
    name: 'explain, nothing there',
    files: [],
    env: () => ({ GO_WIN_TOOLS_EXPLAIN: '1' }),
    ends: 127,
    says: () => ['Nothing is run: it is not installed.'],
  },
  {
    name: 'bypass: what PATH would have run without us',
    files: [
      ...both,
      { 'own bin (x86)/dlv.exe': program },
      // other shims would come back to us
      { 'other-shims/dlv': program, 'other-shims/dlv.exe': program, 'other-shims/dlv.shim.json': '{}' },
    ],
    path: ['shims', '"empty (x86)"', 'other-shims', 'own bin (x86)', 'profile/scoop/apps/delve/current'],
    env: () => ({ GO_WIN_TOOLS_BYPASS: '1' }),
    ends: 'own bin (x86)/dlv.exe',
  },
  {
    name: 'bypass, nothing else there',
    files: both,
    path: ['shims'],
    env: () => ({ GO_WIN_TOOLS_BYPASS: '1' }),
    ends: 127,
    says: () => ['GO_WIN_TOOLS_BYPASS'],
  },
];
