import type { PackageKind } from './package-kind.ts';

/** Lines to type, what they install, and a remark. */
export type Command = {
  /** `Stable 1.22.0`; absent where a client has only one command. */
  readonly label?: string;
  readonly lines: readonly string[];
  readonly remark?: string;
};

/** The commands for one client. */
export type ClientCommands = { readonly client: string; readonly commands: readonly Command[] };

/** A version on a channel. `app`: the name of its manifest, if the bucket offers this version. */
type Offer = { readonly version: string; readonly app: string | undefined };

/** What each channel offers of a package. */
export type Offers = {
  readonly id: string;
  readonly kind: PackageKind;
  readonly stable: Offer | undefined;
  readonly beta: Offer | undefined;
};

/**
 * How to install a package: one block for each client that can use it, with its commands for the stable version and the beta.
 * Every page uses this, so that they never differ.
 */
export function installCommands(
  publicUrl: string,
  { id, kind, stable, beta }: Offers,
): readonly ClientCommands[] {
  const blocks = clients
    .filter(({ kinds }) => kinds.includes(kind))
    .map(({ client, forStable, forBeta }) => ({
      client,
      commands: [
        ...labelled('Stable', stable, (offer) => forStable(publicUrl, id, offer)),
        ...labelled('Beta', beta, (offer) => forBeta(publicUrl, id, offer)),
      ],
    }));
  return blocks.filter(({ commands }) => commands.length > 0);
}

function labelled(
  channel: string,
  offer: Offer | undefined,
  make: (offer: Offer) => Command | undefined,
): Command[] {
  const command = offer && make(offer);
  return command === undefined ? [] : [{ ...command, label: `${channel} ${offer?.version}` }];
}

type MakeCommand = (publicUrl: string, id: string, offer: Offer) => Command | undefined;

type Client = {
  readonly client: string;
  readonly kinds: readonly PackageKind[];
  readonly forStable: MakeCommand;
  readonly forBeta: MakeCommand;
};

const clients: readonly Client[] = [
  {
    client: 'Chocolatey',
    kinds: ['program'],
    forStable: (publicUrl, id) => ({ lines: [`choco install ${id} -s ${publicUrl}/nuget`] }),
    forBeta: (publicUrl, id) => ({
      lines: [`choco install ${id} --pre -s ${publicUrl}/nuget`],
      remark: 'Needs Chocolatey 2 or newer; older versions see stable packages only.',
    }),
  },
  {
    client: 'Scoop',
    kinds: ['program'],
    // The prefix is needed: Scoop's default bucket `main` wins over others (spec scoop 1.3).
    forStable: (publicUrl, _id, { app }) =>
      app === undefined
        ? undefined
        : { lines: [addBucket(publicUrl, 'main'), `scoop install go-win-tools/${app}`] },
    forBeta: (publicUrl, _id, { app }) =>
      app === undefined
        ? undefined
        : {
            // A bucket's name can only be used once, and keeping it lets installed apps follow (spec scoop 9.1).
            lines: [
              'scoop bucket rm go-win-tools',
              addBucket(publicUrl, 'beta'),
              `scoop install go-win-tools/${app}`,
            ],
            remark: `The first line removes the stable bucket; leave it out on a machine without it. If ${app} is installed already, end with: scoop update ${app}`,
          },
  },
  dotnet(
    'dotnet-tool',
    (id) => `dotnet tool install --global ${id}`,
    (id) => `dotnet tool install --global ${id} --prerelease`,
  ),
  dotnet(
    'library',
    (id) => `dotnet add package ${id}`,
    (id) => `dotnet add package ${id} --prerelease`,
  ),
  dotnet(
    'template',
    (id) => `dotnet new install ${id}`,
    (id, version) => `dotnet new install ${id}@${version}`,
  ),
  {
    client: 'NuGet',
    kinds: ['program', 'library'],
    forStable: (publicUrl, id) => ({ lines: [`nuget install ${id} -Source ${publicUrl}/nuget`] }),
    forBeta: (publicUrl, id) => ({
      lines: [`nuget install ${id} -Prerelease -Source ${publicUrl}/nuget`],
    }),
  },
  {
    client: 'PowerShell',
    kinds: ['powershell'],
    forStable: (publicUrl, id) => fromRepository(publicUrl, `Install-PSResource ${id}`),
    forBeta: (publicUrl, id) => fromRepository(publicUrl, `Install-PSResource ${id} -Prerelease`),
  },
];

type MakeLine = (id: string, version: string) => string;

/** The .NET SDK takes its sources from NuGet.Config, where plain http has to be allowed (SDK 9 and newer). */
function dotnet(kind: PackageKind, stable: MakeLine, beta: MakeLine): Client {
  const afterSource =
    (line: MakeLine): MakeCommand =>
    (publicUrl, id, { version }) => ({
      lines: [addDotnetSource(publicUrl), line(id, version)],
      remark: onceAMachine,
    });
  return { client: 'dotnet', kinds: [kind], forStable: afterSource(stable), forBeta: afterSource(beta) };
}

const onceAMachine = 'The first line is only needed once.';

function addDotnetSource(publicUrl: string): string {
  const insecure = publicUrl.startsWith('http:') ? ' --allow-insecure-connections' : '';
  return `dotnet nuget add source ${publicUrl}/v3/index.json --name go-win-tools${insecure}`;
}

/** PSResourceGet needs exactly this address, without a trailing slash, and with its version (spec nuget-v2 18.3). */
function registerRepository(publicUrl: string): string {
  return `Register-PSResourceRepository -Name go-win-tools -Uri ${publicUrl}/api/v2 -ApiVersion v2 -Trusted`;
}

function fromRepository(publicUrl: string, install: string): Command {
  return {
    lines: [registerRepository(publicUrl), `${install} -Repository go-win-tools`],
    remark: onceAMachine,
  };
}

function addBucket(publicUrl: string, channel: 'main' | 'beta'): string {
  return `scoop bucket add go-win-tools ${publicUrl}/git/${channel}/go-win-tools.git`;
}

/** The one-time setup of a machine for this server. */
export function setupCommands(publicUrl: string): readonly ClientCommands[] {
  return [
    {
      client: 'Everything, by a script',
      commands: [
        {
          lines: [`curl.exe -fsSLO ${publicUrl}/install.cmd`, '.\\install.cmd'],
          remark: `-WhatIf shows what it would do, -Remove undoes it. It runs ${publicUrl}/install.ps1`,
        },
      ],
    },
    {
      client: 'Chocolatey',
      commands: [{ lines: [`choco source add -n go-win-tools -s ${publicUrl}/nuget`] }],
    },
    {
      client: 'Scoop',
      commands: [
        {
          lines: [addBucket(publicUrl, 'main')],
          remark: 'Testers add /git/beta/go-win-tools.git instead, under the same name.',
        },
      ],
    },
    {
      client: 'NuGet',
      commands: [
        {
          lines: [`nuget sources add -Name go-win-tools -Source ${publicUrl}/nuget`],
          remark: `As NuGet v3: ${publicUrl}/v3/index.json`,
        },
      ],
    },
    { client: 'dotnet', commands: [{ lines: [addDotnetSource(publicUrl)] }] },
    { client: 'PowerShell', commands: [{ lines: [registerRepository(publicUrl)] }] },
  ];
}
