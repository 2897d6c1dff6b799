import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { spawnCommand } from '../support/command.ts';

const NO_COMMANDS = ['change-prices'];
const commands = readdirSync(new URL('../../src/cli/', import.meta.url))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
  .filter((name) => !NO_COMMANDS.includes(name));

describe('every command, as a process', () => {
  it.each(commands)('%s --help shows examples and needs no database', async (script) => {
    const { code, stdout, stderr } = await spawnCommand(script, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`npm run ${script}`);
  });
});
