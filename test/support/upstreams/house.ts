import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHouse, type House } from '../house.ts';
import { shared } from '../shared.ts';
import { createAnthropicUpstream } from './anthropic.ts';
import { createGeminiUpstream } from './gemini.ts';
import { createOpenAiUpstream } from './openai.ts';
import type { Upstream } from './upstream.ts';

/** The wire formats, each with a model of the catalogue. */
export const dialects = [
  { dialect: 'openai', model: 'gpt-4o-mini' },
  { dialect: 'anthropic', model: 'claude-sonnet-4-6' },
  { dialect: 'gemini', model: 'gemini-3.5-flash-lite' },
] as const;

export type DialectName = (typeof dialects)[number]['dialect'];

export type HouseOnUpstreams = {
  readonly house: House;
  readonly upstreams: Readonly<Record<DialectName, Upstream>>;
};

const create = async (): Promise<HouseOnUpstreams> => {
  const upstreams = {
    openai: await createOpenAiUpstream(),
    anthropic: await createAnthropicUpstream(),
    gemini: await createGeminiUpstream(),
  };
  const entries = dialects.map(({ dialect }) => ({
    ...{ name: dialect, dialect, baseUrl: upstreams[dialect].url, apiKeyEnv: 'KEY_OF_THE_HOUSE' },
    outputLimitField: 'max_completion_tokens',
  }));
  const folder = await mkdtemp(join(tmpdir(), 'kissapi-upstreams-'));
  const file = join(folder, 'upstreams.json');
  await writeFile(file, JSON.stringify({ upstreams: entries }));
  const env = { OPENAI_API_KEY: '', KISSAPI_UPSTREAMS: file, KEY_OF_THE_HOUSE: 'sk-of-the-house' };
  const house = await createHouse(env).finally(() => rm(folder, { recursive: true }));
  return { house, upstreams };
};

/** A gateway on one upstream of each wire format, which the files of a worker share. It is not closed. */
export const houseOnUpstreams = (): Promise<HouseOnUpstreams> => shared('house on upstreams', create);
