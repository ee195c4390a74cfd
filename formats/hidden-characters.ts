/**
 * Characters that change how the text around them is shown: what a terminal obeys, ends of lines, and those that turn the direction of
 * writing until another one ends that. Names and reasons of others must not be able to look like something else.
 */
const set = String.raw`\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069`;

export const hiddenCharacters = new RegExp(`[${set}]`, 'gu');

/** A text without any. */
export const plainLine = new RegExp(`^[^${set}]*$`, 'u');
