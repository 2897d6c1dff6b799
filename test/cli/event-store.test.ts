import { startEventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../support/command.ts';

const startStandIn = async () => {
  const server = await startEventStoreDbStandIn();
  onTestFinished(() => server.close());
  return server;
};

describe('npm run event-store', () => {
  it('check states that a server without TLS is for development only, and exits with 1', async () => {
    const { url } = await startStandIn();
    const ran = await runCommand('event-store', ['check'], { env: { EVENT_STORE_URL: url } });
    expect(ran).toEqual({
      code: 1,
      stdout: 'fit for development only: without TLS, EventStoreDB lets every client delete events.\n',
      stderr: '',
    });
  });

  it('check states why a server is unfit, and exits with 1', async () => {
    const server = await startStandIn();
    server.refuseAppends('read-only');
    const { code, stdout } = await runCommand('event-store', ['check', '--url', server.url]);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^unfit: EventStoreDB answers, and accepts no append: /) as unknown,
    });
  });

  it('protect exits with 2 on a server without access control, and does not print the password', async () => {
    const { url } = await startStandIn();
    const env = { EVENT_STORE_ADMIN_URL: url.replace('esdb://', 'esdb://admin:s3cret@') };
    const { code, stderr } = await runCommand('event-store', ['protect', '--user', 'kissapi'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('event-store: EventStoreDB without TLS (tls=false) has no users');
    expect(stderr).not.toContain('s3cret');
  });

  it.each([
    [['protect'], {}, 'Set EVENT_STORE_ADMIN_URL'],
    [['check'], { EVENT_STORE_URL: '' }, 'Set EVENT_STORE_URL'],
    [['check', '--url', 'http://127.0.0.1:2113'], {}, 'must begin with esdb://'],
    [['protect', '--user', 'admin'], {}, 'such as kissapi'],
    [['protect', '--user', '$admins'], {}, 'such as kissapi'],
  ])('%j exits with 2 and states what to set', async (args, env, inWords) => {
    const { code, stderr } = await runCommand('event-store', args, { env });
    expect(code).toBe(2);
    expect(stderr).toContain(inWords);
  });
});
