import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  protect,
  protectedMetadataOfAll,
  protectedSettings,
  protectEventStore,
  tryEventStore,
} from '../../../src/eventstore/eventstoredb/fitness/access.ts';

describe('the default ACL', () => {
  it('of a new server lets the user append and read, and only administrators destroy', () =>
    expect(protectedSettings({}, 'kissapi')).toEqual({
      $userStreamAcl: {
        $r: ['$admins', 'kissapi'],
        $w: ['$admins', 'kissapi'],
        $mr: ['$admins', 'kissapi'],
        $d: ['$admins'],
        $mw: ['$admins'],
      },
    }));

  it('keeps other users and other settings, and drops every user and what the user could destroy', () =>
    expect(
      protectedSettings(
        {
          $userStreamAcl: { $r: '$all', $w: ['reports', '$all'], $d: ['kissapi', 'cleaner'], $mw: '$all', other: 1 },
          $systemStreamAcl: { $r: '$admins' },
        },
        'kissapi',
      ),
    ).toEqual({
      $userStreamAcl: {
        $r: ['$admins', 'kissapi'],
        $w: ['$admins', 'kissapi', 'reports'],
        $mr: ['$admins', 'kissapi'],
        $d: ['$admins', 'cleaner'],
        $mw: ['$admins'],
        other: 1,
      },
      $systemStreamAcl: { $r: '$admins' },
    }));

  it('of $all lets the user read, and keeps other metadata', () =>
    expect(protectedMetadataOfAll({ $acl: { $r: 'reports', $mw: ['kissapi'] }, note: 'ours' }, 'kissapi')).toEqual({
      $acl: { $r: ['$admins', 'kissapi', 'reports'], $mr: ['$admins', 'kissapi'], $mw: ['$admins'] },
      note: 'ours',
    }));
});

describe('to protect an EventStoreDB', () => {
  let server: EventStoreDbStandIn;
  let client: EventStoreDBClient;
  beforeEach(async () => {
    server = await startEventStoreDbStandIn();
    client = EventStoreDBClient.connectionString(server.url);
  });
  afterEach(async () => {
    await client.dispose();
    await server.close();
  });

  const write = (stream: string, type: string, data: Record<string, unknown>) =>
    client.appendToStream(stream, jsonEvent({ type, data }));
  const createUser = (data: Record<string, unknown>) =>
    write('$user-kissapi', '$UserCreated', { loginName: 'kissapi', groups: [], ...data });
  const lengthOf = async (stream: string): Promise<number> => {
    let length = 0;
    for await (const { event } of client.readStream(stream)) length += event ? 1 : 0;
    return length;
  };

  it('writes both ACLs once: the second run changes nothing', async () => {
    await createUser({});
    expect(await protect(client, 'kissapi')).toEqual({
      changed: ['default-acl', 'acl-of-all'],
      othersMayAppend: [],
      othersMayDelete: [],
    });
    expect((await client.getStreamMetadata('$all')).metadata?.acl?.readRoles).toEqual(['$admins', 'kissapi']);
    expect(await protect(client, 'kissapi')).toEqual({ changed: [], othersMayAppend: [], othersMayDelete: [] });
    expect([await lengthOf('$settings'), await lengthOf('$$$all')]).toEqual([1, 1]);
  });

  it('names other users that may append or delete', async () => {
    await createUser({});
    await write('$settings', 'update-default-acl', {
      $userStreamAcl: { $w: ['reports', 'kissapi'], $d: 'cleaner', $mw: ['cleaner', '$all'] },
    });
    expect(await protect(client, 'kissapi')).toEqual({
      changed: ['default-acl', 'acl-of-all'],
      othersMayAppend: ['reports'],
      othersMayDelete: ['cleaner'],
    });
  });

  it('needs a user that exists, is enabled and is in no group', async () => {
    await expect(protect(client, 'kissapi')).rejects.toThrow('EventStoreDB has no enabled user kissapi');
    await createUser({ disabled: true });
    await expect(protect(client, 'kissapi')).rejects.toThrow('EventStoreDB has no enabled user kissapi');
    await createUser({ groups: ['$admins'] });
    await expect(protect(client, 'kissapi')).rejects.toThrow('The user kissapi is in the group $admins');
    await expect(client.getStreamMetadata('$all')).resolves.toEqual({ streamName: '$all' });
  });

  it('is refused without TLS, because such a server has no access control', () =>
    expect(protectEventStore(server.url, 'kissapi')).rejects.toThrow('has no users and no access control'));

  it('refuses an address that cannot be read, without repeating it', async () => {
    const error = await protectEventStore('esdb://admin:s3cret@host:port', 'kissapi').catch(String);
    expect(error).toContain('must be like esdb://user:password@host:2113');
    expect(error).not.toContain('s3cret');
  });

  it('can be tried beforehand with the checks of a gateway', async () =>
    expect(await tryEventStore(server.url, () => new Date())).toEqual({ kind: 'fit', insecure: true }));
});
