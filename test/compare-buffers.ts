import { expect } from 'vitest';

// Vitest compares buffers byte by byte as if they were arrays, which takes a minute for a program.
expect.addEqualityTesters([
  (one: unknown, other: unknown) =>
    Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : undefined,
]);
