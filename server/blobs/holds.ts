/** How many uploads of this process have stored or found the same bytes and are not finished yet. */
export type Holds = {
  /** Protects the bytes until the returned function is called. */
  hold(sha256: string): () => void;
  has(sha256: string): boolean;
};

export function createHolds(): Holds {
  const held = new Map<string, number>();
  return {
    has: (sha256) => held.has(sha256),
    hold(sha256) {
      held.set(sha256, (held.get(sha256) ?? 0) + 1);
      let isHolding = true;
      return () => {
        if (!isHolding) return;
        isHolding = false;
        const others = (held.get(sha256) ?? 1) - 1;
        if (others === 0) held.delete(sha256);
        else held.set(sha256, others);
      };
    },
  };
}
