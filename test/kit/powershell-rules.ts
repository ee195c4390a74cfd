import { type Node, nodesOf, placeOf } from './powershell.ts';

/** What Windows PowerShell 5.1 cannot parse although PowerShell 7 can, and what a script that strangers run should not do. */
export function faultsOf(text: string, root: Node): readonly string[] {
  const known = new Set([...cmdlets, ...nodesOf(root, 'function_name').map((node) => node.text)]);
  const lines = text.split(/\r?\n/);
  const badLines = lines.flatMap((line, at) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the question
    /[^\x00-\x7e]/.test(line) ? [`not ASCII: ${at + 1}: ${line}`] : [],
  );
  return [
    ...badLines,
    ...faults(root, 'ERROR', 'not understood', () => true),
    ...faults(root, 'pipeline_chain_tail', 'chain of && or ||', () => true),
    ...faults(root, 'command_name', 'alias', ({ text: name }) => aliases.has(name.toLowerCase())),
    ...faults(root, 'command_name', 'runs text', ({ text: name }) => /^(invoke-expression|iex)$/i.test(name)),
    ...faults(root, 'command_name', 'program outside of Invoke-Program', ({ text: name }) =>
      /\.exe$|^(choco|scoop|git|cmd|powershell|pwsh|setx|reg)$/i.test(name),
    ),
    ...faults(
      root,
      'command_name',
      'unknown command',
      ({ text: name }) => !name.startsWith('$') && !known.has(name),
    ),
    ...faults(
      root,
      'command_invokation_operator',
      'call that is not followed by a look at its exit code',
      (node) => node.text === '&' && !/^&\s*\{/.test(node.parent?.text ?? '') && !isChecked(node),
    ),
    ...faults(
      root,
      'redirection',
      'ends at the first line of stderr in 5.1',
      (node) => node.text.startsWith('2>') && !goesOn(node),
    ),
  ];
}

/** The call's own function looks at $LASTEXITCODE after it. */
function isChecked(node: Node): boolean {
  let at: Node | null = node;
  while (at !== null && at.type !== 'function_statement') at = at.parent;
  const rest = at?.text.slice(node.startIndex - at.startIndex) ?? '';
  return rest.includes('$LASTEXITCODE');
}

/** 5.1 makes errors of what is redirected from stderr; only where these are no end may it be. */
function goesOn(node: Node): boolean {
  let at: Node | null = node;
  while (at !== null && at.type !== 'function_statement') at = at.parent;
  return (
    at?.text.slice(0, node.startIndex - at.startIndex).includes("$ErrorActionPreference = 'Continue'") ??
    false
  );
}

function faults(root: Node, type: string, what: string, isFault: (node: Node) => boolean): string[] {
  return nodesOf(root, type)
    .filter(isFault)
    .map((node) => `${what}: ${placeOf(node)}`);
}

const aliases = new Set(
  '% ? ac cat cd clc cls copy cp curl cvpa del diff dir echo epcsv fl foreach ft gc gci gcm gi gm gp gsv gv h iex ii ipcsv irm iwr kill ls md measure mi mkdir mount move mp mv ni nv oh popd ps pushd pwd r rd ren ri rm rmdir rp rv sajb sal sc select set si sl sleep sort sp start sv tee type wget where write'.split(
    ' ',
  ),
);

/** In Windows PowerShell 5.1 as well as in 7. */
const cmdlets = [
  'Add-Member',
  'Add-Type',
  'ConvertFrom-Json',
  'ConvertTo-Json',
  'ForEach-Object',
  'Get-Acl',
  'Get-ChildItem',
  'Get-Command',
  'Get-Item',
  'Invoke-RestMethod',
  'Join-Path',
  'New-Object',
  'Read-Host',
  'Remove-Item',
  'Resolve-Path',
  'Select-Object',
  'Set-StrictMode',
  'Split-Path',
  'Test-Path',
  'Where-Object',
  'Write-Host',
  'Write-Warning',
];
