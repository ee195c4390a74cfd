/** What goes wrong with an answer, for the first `times` requests (default: always). */
export type Fault = { times?: number } & (
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Record<string, string>;
    }
  /** A page of HTML with status 200. */
  | { readonly kind: 'html'; readonly type?: string }
  /** Nothing more comes, and the connection stays. */
  | { readonly kind: 'hang'; readonly afterBytes?: number }
  /** The connection is cut. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Other bytes than were uploaded, whole. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Ranges are not understood: always the whole file. */
  | { readonly kind: 'no-range' }
);

/** The fault that holds for this request; one whose times are over is gone. */
export function takeFault(faults: Fault[]): Fault | undefined {
  const fault = faults[0];
  if (fault === undefined) return undefined;
  if (fault.times === undefined) return fault;
  fault.times -= 1;
  if (fault.times <= 0) faults.shift();
  return fault;
}
