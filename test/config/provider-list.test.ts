import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCatalogue } from '../../src/config/catalogue.ts';
import { readProviderList } from '../../src/config/provider-list.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'providers-'))));
afterAll(() => rm(folder, { recursive: true }));

it('has a name for every provider of the catalogue, and a usage policy for all but the simulated one', async () => {
  const providers = await readProviderList();
  for (const { model } of await readCatalogue()) {
    const { name, usagePolicyUrl } = providers.get(model.upstream) ?? expect.fail(`${model.upstream} is not listed`);
    expect(name).not.toBe('');
    expect(usagePolicyUrl === null).toBe(model.upstream === 'simulated');
  }
});

it.each([
  ['a URL without https', { upstream: 'a', name: 'A', usagePolicyUrl: 'http://a.example' }],
  ['no URL', { upstream: 'a', name: 'A', usagePolicyUrl: 'a.example' }],
  ['an unknown field', { upstream: 'a', name: 'A', usagePolicyUrl: null, more: 1 }],
  ['a provider twice', { upstream: 'twice', name: 'B', usagePolicyUrl: null }],
])('refuses %s', async (_, wrong) => {
  const file = pathToFileURL(join(folder, 'providers.json'));
  const providers = [{ upstream: 'twice', name: 'A', usagePolicyUrl: null }, wrong];
  await writeFile(file, JSON.stringify({ providers }));
  await expect(readProviderList(file)).rejects.toThrow();
});
