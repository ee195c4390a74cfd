/** Numbers from 0 on, up to 2^53 - 2. A `Set` takes 76 bytes for each, and holds no more than 16.7 million. */
export type NumberSet = {
  add(number: number): void;
  has(number: number): boolean;
  /** So many will be added: it grows once, and not while a long loop fills it. */
  reserve(count: number): void;
};

/** At most so full, or looking for a place would take long. */
const fullness = 0.7;

/** A table of places, where each number takes the first free one after its own; 0 is a free place. */
export function createNumberSet(): NumberSet {
  let places = new Float64Array(1024);
  let count = 0;

  function placeOf(value: number): number {
    let at = value % places.length;
    for (let found = places[at]; found !== 0 && found !== value; found = places[at])
      at = at + 1 === places.length ? 0 : at + 1;
    return at;
  }

  function grow(size: number): void {
    const before = places;
    places = new Float64Array(size);
    for (const value of before) if (value !== 0) places[placeOf(value)] = value;
  }

  return {
    add(number) {
      if (count >= places.length * fullness) grow(places.length * 2);
      const at = placeOf(number + 1);
      if (places[at] === 0) count += 1;
      places[at] = number + 1;
    },
    has: (number) => places[placeOf(number + 1)] !== 0,
    reserve(more) {
      const size = Math.ceil((count + more) / fullness) + 1;
      if (size > places.length) grow(size);
    },
  };
}
