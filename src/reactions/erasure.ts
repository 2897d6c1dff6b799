import { accountOfStream } from '../domain/account/account.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import type { Process } from './process.ts';

/** Destroys the data key of each account whose personal data is erased. A repetition changes nothing. */
export const createErasure = ({ destroy }: { destroy(accountId: string): Promise<void> }): Process => ({
  name: 'erasure',
  types: new Set<AccountEvent['type']>(['PersonalDataErased']),
  from: 'start',
  react: ({ event, stream }) => {
    const accountId = accountOfStream(stream);
    if (event.type !== 'PersonalDataErased' || accountId === undefined) return [];
    const erase = async () => {
      await destroy(accountId);
      return { kind: 'accepted' } as const;
    };
    return [erase];
  },
});
