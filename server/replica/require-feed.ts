import { fail } from '../errors.ts';
import { openPostgres } from './postgres.ts';
import { hasTables } from './schema.ts';

/**
 * For work that needs a feed: a database without one means a wrong DATABASE_URL, and gets no tables. Answers with its name for people.
 * @throws FeedError DATABASE_EMPTY, DATABASE_UNREACHABLE, DATABASE_REFUSED, DATABASE_RIGHTS
 */
export async function requireFeed(url: string): Promise<string> {
  const postgres = await openPostgres(url);
  const session = await postgres.connect();
  try {
    return (await hasTables(session)) ? postgres.name : fail('DATABASE_EMPTY', { database: postgres.name });
  } finally {
    session.close();
  }
}
