import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidConfig, readConfig } from '../../src/config/config.ts';
import { createProviders } from '../../src/gateway/providers.ts';

const providers = new Set(['openai', 'groq', 'simulated']);

describe('upstreams', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kissapi-upstreams-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const open = async (names: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const file = join(folder, 'upstreams.json');
    const upstreams = names.map((name) => ({ name, baseUrl: 'https://example.com/v1', apiKeyEnv: 'KEY_OF_THEM' }));
    await writeFile(file, JSON.stringify({ upstreams }));
    const opened = createProviders(readConfig({ KISSAPI_UPSTREAMS: file, ...env }), providers);
    for (const upstream of opened.values()) await upstream.close();
    return [...opened.keys()];
  };

  it('are those that have models and a key', async () => {
    expect(await open(['groq'], { KEY_OF_THEM: 'k' })).toEqual(['simulated', 'groq']);
    expect(await open(['groq'])).toEqual(['simulated']);
  });

  it.each([{ KEY_OF_THEM: 'k' }, {}])(
    'have the name that the price book calls them, their key set or not: %j',
    async (env) => {
      const asked = open(['groq', 'gorq'], env as Record<string, string>);
      await expect(asked).rejects.toThrow(InvalidConfig);
      await expect(asked).rejects.toThrow(/KISSAPI_UPSTREAMS: .* gorq\b.* groq, openai, simulated\.$/);
    },
  );
});
