/** The exact commands that a person types, source included. The same builder serves every page, so that they never differ. */
export type ClientCommand = {
  readonly client: string;
  readonly lines: readonly string[];
  readonly remark?: string;
};

/** `app`: the name of its manifest, where the bucket has one. */
type Offer = { readonly id: string; readonly app: string | undefined };

/** How to install the newest stable version of a package. */
export function stableCommands(publicUrl: string, offer: Offer): readonly ClientCommand[] {
  return [
    { client: 'Chocolatey', lines: [`choco install ${offer.id} -s ${publicUrl}/nuget`] },
    ...(offer.app === undefined ? [] : [scoop(publicUrl, 'main', offer.app)]),
    { client: 'NuGet', lines: [`nuget install ${offer.id} -Source ${publicUrl}/nuget`] },
  ];
}

/** How to join the testers of a package. */
export function betaCommands(publicUrl: string, offer: Offer): readonly ClientCommand[] {
  return [
    {
      client: 'Chocolatey',
      lines: [`choco install ${offer.id} --pre -s ${publicUrl}/nuget`],
      remark: 'Chocolatey 2 and newer; older ones see stable versions only.',
    },
    ...(offer.app === undefined ? [] : [scoop(publicUrl, 'beta', offer.app)]),
    { client: 'NuGet', lines: [`nuget install ${offer.id} -Prerelease -Source ${publicUrl}/nuget`] },
  ];
}

/** How a machine is pointed at this server once. */
export function setupCommands(publicUrl: string): readonly ClientCommand[] {
  return [
    {
      client: 'All of it, by a script',
      lines: [`curl.exe -fsSLO ${publicUrl}/install.cmd`, '.\\install.cmd'],
      remark: `-WhatIf tells what it would do, -Remove takes it back. It runs ${publicUrl}/install.ps1`,
    },
    { client: 'Chocolatey', lines: [`choco source add -n go-win-tools -s ${publicUrl}/nuget`] },
    {
      client: 'Scoop',
      lines: [`scoop bucket add go-win-tools ${publicUrl}/git/main/go-win-tools.git`],
      remark: 'Testers add /git/beta/go-win-tools.git instead, under the same name.',
    },
    {
      client: 'NuGet',
      lines: [`nuget sources add -Name go-win-tools -Source ${publicUrl}/nuget`],
      remark: `As NuGet v3: ${publicUrl}/v3/index.json`,
    },
  ];
}

/** The prefix is needed: `main`, which every Scoop has, wins over other buckets (spec scoop 1.3). */
function scoop(publicUrl: string, channel: 'main' | 'beta', app: string): ClientCommand {
  return {
    client: 'Scoop',
    lines: [
      `scoop bucket add go-win-tools ${publicUrl}/git/${channel}/go-win-tools.git`,
      `scoop install go-win-tools/${app}`,
    ],
  };
}
