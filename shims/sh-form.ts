import type { ShimPlan } from './plan.ts';

/**
 * The form for Git Bash and MSYS, from templates/shim.sh: POSIX sh, LF. It decides like launcher/choose.go; test/shims/vectors.ts
 * checks all forms against it.
 */
export function renderSh(template: string, plan: ShimPlan): string {
  const { tool, command, exe, app, packageId, prefer, pin = '', sandbox, deny, paths } = plan;
  const settings = {
    tool,
    command,
    exe,
    app,
    package: packageId,
    prefer,
    pin,
    sandbox,
    deny: deny.join(' '),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}`);
  const known = paths.map(({ path, version = '' }) => `known ${quote(path)} ${quote(version)}`);
  return template.replace('# SETTINGS', () => lines.join('\n')).replace('# KNOWN', () => known.join('\n'));
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
