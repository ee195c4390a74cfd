import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { startHouse, type TestHouse } from '../kit/house.ts';
import { type Listening, listen } from '../kit/listen.ts';

/** A feed that answers, and a forge at which nobody does: every connection is cut before a word. */
describe('where no source can be reached', () => {
  let house: TestHouse;
  let silent: Listening;
  let generator: Generator;
  let asked = 0;

  beforeAll(async () => {
    house = await startHouse();
    silent = await listen((request) => {
      asked += 1;
      request.socket.destroy();
    });
    generator = await makeGenerator({
      FEED_URL: `${house.url}/nuget`,
      FEED_API_KEY: house.adminKey,
      GITHUB_API_URL: silent.url,
      npm_config_registry: 'http://127.0.0.1:9/',
    });
  });
  afterAll(async () => {
    await generator.stop();
    await silent.stop();
    await house.stop();
  });

  it('release:status ends with exit 4, and asks the host of three tools twice in all', {
    timeout: 120_000,
  }, async () => {
    asked = 0;

    const status = await generator.run('release:status', []);

    expect(status.exitCode, status.stdout).toBe(4);
    expect(status.stdout.match(/source github cannot be reached/g)).toHaveLength(3);
    expect(status.stderr).toContain('3 of 3 failed: ');
    expect(asked).toBe(2);
  });

  it('release:beta names the host once, and asks it as often as one tool would', {
    timeout: 120_000,
  }, async () => {
    asked = 0;
    const host = new URL(silent.url).host;

    const people = await generator.run('release:beta', []);
    const machines = await generator.run('release:beta', ['--json']);

    expect(people.exitCode).toBe(4);
    expect(people.stderr.split(host)).toHaveLength(2);
    expect(people.stderr.match(/cannot be reached/g)).toHaveLength(3);
    expect(machines.stdout.split(host)).toHaveLength(4);
    expect(asked).toBe(2 * 4);
  });
});
