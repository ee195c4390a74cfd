export const dayMs = 86_400_000;

const msOf = { s: 1_000, m: 60_000, h: 3_600_000, d: dayMs } as const;

/** `90s`, `5m`, `12h`, `3d` in milliseconds; undefined for anything else. */
export function readDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * msOf[unit as keyof typeof msOf];
}

/** As `readDuration` reads it, in the largest unit that leaves nothing over: `4h`, and `0s`. */
export function printDuration(ms: number): string {
  const unit = (['d', 'h', 'm'] as const).find((one) => ms > 0 && ms % msOf[one] === 0) ?? 's';
  return `${ms / msOf[unit]}${unit}`;
}
