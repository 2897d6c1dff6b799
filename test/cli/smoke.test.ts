import { describe, expect, it } from 'vitest';
import { commands, spawnCommand } from '../support/command.ts';

describe('every command, as a process', () => {
  it.each(commands)('%s --help shows examples and needs no database', async (script) => {
    const { code, stdout, stderr } = await spawnCommand(script, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`npm run ${script}`);
  });
});
