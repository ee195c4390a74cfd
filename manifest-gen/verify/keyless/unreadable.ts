/** An invalid signature, or one beyond our limits; the message says why. */
export class UnreadableSignature extends Error {
  /** It is a signature in a form that others read. */
  readonly isOtherForm: boolean;

  constructor(message: string, options: { readonly isOtherForm?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.isOtherForm = options.isOtherForm ?? false;
  }
}
