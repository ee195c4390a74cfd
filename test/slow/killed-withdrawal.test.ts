import { describe } from 'vitest';
import { cutEverywhere, itEndsWellAgain, killedWithForeignBytes } from '../kit/cut-withdrawals.ts';

describe('a withdrawal that was killed', () => {
  itEndsWellAgain([...cutEverywhere('killed'), ...killedWithForeignBytes]);
});
