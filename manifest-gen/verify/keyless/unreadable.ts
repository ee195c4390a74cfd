/** Something that is no signature, or one beyond our limits; the message says in which way. */
export class UnreadableSignature extends Error {}
