import type { ShimPlan } from './plan.ts';

/**
 * The form for cmd and PowerShell, from templates/shim.cmd: ASCII, CRLF (spec scoop 6). It decides like launcher/choose.go;
 * test/shims/vectors.ts checks all forms against it.
 */
export function renderCmd(template: string, plan: ShimPlan): string {
  const { tool, exe, app, packageId, prefer, pin = '', sandbox, deny, paths } = plan;
  const settings = { tool, exe, app, package: packageId, prefer, pin, sandbox, deny: deny.join(' ') };
  // The caller's variables with these names must have no effect here.
  const lines = Object.entries(settings).map(([name, value]) => `set "${name}=${value}"`);
  const known = paths.flatMap(({ path, version = '' }, at) => [
    `set "file=${path}"`,
    `set "version=${version}"`,
    `set "next=known_${at + 1}"`,
    'goto consider',
    `:known_${at + 1}`,
  ]);
  return template
    .replace('rem SETTINGS', () => lines.join('\n'))
    .replace('rem KNOWN', () => known.join('\n'))
    .replaceAll(/\r?\n/g, '\r\n');
}
