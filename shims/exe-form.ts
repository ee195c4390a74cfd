import type { ShimPlan } from './plan.ts';

/** NAME.shim.json, which NAME.exe reads: the launcher is one binary for all tools (launcher/config.go). */
export function renderShimJson(plan: ShimPlan): string {
  const { tool, exe, app, packageId, prefer, pin = '', sandbox, deny, paths } = plan;
  const known = paths.map(({ path, version = '' }) => ({ path, version }));
  const config = { schema: 1, tool, exe, app, packageId, prefer, pin, sandbox, deny, paths: known };
  return `${JSON.stringify(config, null, 2)}\n`;
}
