/**
 * Characters that change how the surrounding text is shown: terminal controls, line ends, and overrides of the writing direction.
 * A name or reason must not be able to look like something else.
 */
const set = String.raw`\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069`;

export const hiddenCharacters = new RegExp(`[${set}]`, 'gu');

/** A text without any of them. */
export const plainLine = new RegExp(`^[^${set}]*$`, 'u');
