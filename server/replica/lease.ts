/** How long a copy is trusted after it was compared with the database, in milliseconds from when the question was sent. */
export const trustMs = 50;

/**
 * Whether a copy has everything that anybody was told. A replica that knows at a moment that it has all changes may answer for
 * `trustMs` more; whoever changes something waits as long after the commit before he says so. By then every other replica has
 * asked again, or answers nothing. No clocks are compared, only spans of time.
 */
export type Lease = {
  isValid(): boolean;
  /** When the copy was known to have everything; never: minus infinity. */
  confirmedAt(): number;
  /** The copy has everything that was committed before `askedAt`. */
  renew(askedAt: number): void;
};

/** @param clock monotonic, in milliseconds */
export function createLease(clock: () => number, spanMs: number = trustMs): Lease {
  let latest = Number.NEGATIVE_INFINITY;
  return {
    isValid: () => clock() < latest + spanMs,
    confirmedAt: () => latest,
    renew(askedAt) {
      latest = Math.max(latest, askedAt);
    },
  };
}
