import { accept } from '../decider.ts';
import { no, type Of, type PersonDecision } from './person-commands.ts';
import type { PersonEvent } from './person-events.ts';
import { addedSince, type Person } from './person.ts';

/** How long the old address can take a change back. */
export const UNDO_MS = 7 * 24 * 60 * 60 * 1000;

/** On disk. */
export const UNDONE = 'a change of address was undone';

type ContactCommand = Of<'ChangeName' | 'AskAddressChange' | 'ChangeAddress' | 'UndoAddressChange'>;

/** Changes of the name and of the address. */
export const decideContact = (command: ContactCommand, person: Person): PersonDecision => {
  switch (command.type) {
    case 'ChangeName':
      if (command.from !== person.personal) return no('person_changed');
      return accept({ type: 'NameChanged', personal: command.personal });
    case 'AskAddressChange': {
      const { changeId, personal, support } = command;
      if (person.change?.changeId === changeId || isDone(person, changeId)) return accept();
      return accept({ type: 'AddressChangeAsked', changeId, personal, ...(support ? { support } : {}) });
    }
    case 'ChangeAddress':
      return changeAddress(command, person);
    case 'UndoAddressChange':
      return undoAddressChange(command, person);
  }
};

const isDone = ({ changes }: Person, changeId: string): boolean => changes.some((one) => one.changeId === changeId);

const changeAddress = ({ changeId, from, personal, at }: Of<'ChangeAddress'>, person: Person): PersonDecision => {
  if (isDone(person, changeId)) return accept();
  const { change } = person;
  if (change?.changeId !== changeId) return no('change_not_found');
  if (from !== person.personal) return no('person_changed');
  return accept({ type: 'AddressChanged', changeId, personal, by: change.by, undoUntil: at + UNDO_MS });
};

const undoAddressChange = (
  { changeId, from, personal, at }: Of<'UndoAddressChange'>,
  person: Person,
): PersonDecision => {
  const change = person.changes.find((one) => one.changeId === changeId);
  if (!change) return no('change_not_found');
  if (change.undone) return accept();
  if (at >= change.undoUntil) return no('undo_ended');
  if (from !== person.personal) return no('person_changed');
  return accept<PersonEvent>(
    { type: 'AddressChangeUndone', changeId, personal },
    ...addedSince(change, person).map((passkeyId) => ({ type: 'PasskeyRemoved' as const, passkeyId, reason: UNDONE })),
    ...(change.setsTotp && person.hasTotp ? [{ type: 'TotpDisabled' as const, reason: UNDONE }] : []),
  );
};
