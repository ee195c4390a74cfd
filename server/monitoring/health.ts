import { dayMs } from '../../formats/duration.ts';

/** What /healthz answers (contract section 12); what is unknown is null. */
export type Health = {
  readonly status: 'ok';
  readonly version: string;
  /** Whole days until the server's own TLS certificate expires, negative when it has; null without TLS. */
  readonly cert_expiry_days: number | null;
  /** `sha256:HEX` of the program's own SBOM; null in a checkout that was never built. */
  readonly sbom_hash: string | null;
};

export type HealthFacts = {
  readonly version: string;
  readonly certificateExpiry?: Date | undefined;
  readonly sbomHash?: string | undefined;
};

export function healthAt(now: Date, { version, certificateExpiry, sbomHash }: HealthFacts): Health {
  return {
    status: 'ok',
    version,
    cert_expiry_days: certificateExpiry === undefined ? null : wholeDays(certificateExpiry, now),
    sbom_hash: sbomHash ?? null,
  };
}

/** From `now` until then, rounded down. */
export function wholeDays(until: Date, now: Date): number {
  return Math.floor((until.getTime() - now.getTime()) / dayMs);
}
