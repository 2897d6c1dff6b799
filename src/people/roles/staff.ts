import type { StaffRole } from '../../domain/identity/person-events.ts';
import { personStream } from '../../domain/identity/person.ts';
import { STAFF_STREAM, type StaffCommand, type StaffEvent, type StaffRefusal } from '../../domain/identity/staff.ts';
import type { Outcome } from '../../eventstore/commands.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import type { PeopleOptions } from '../people-options.ts';

type By = { readonly actor: string; readonly commandId: string; readonly requestId: string };

export type StaffRoles = {
  change(personId: string, role: StaffRole, reason: string, by: By): Promise<Outcome<StaffEvent, StaffRefusal>>;
  dismiss(personId: string, reason: string, by: By): Promise<Outcome<StaffEvent, StaffRefusal>>;
  /**
   * After a person got, changed or lost a staff role: the copy on the person's stream follows, and the sessions from
   * before end. `cause` is the id of the event, and `at` its time. May be repeated.
   */
  changed(personId: string, cause: string, at: Date): Promise<void>;
};

export const createStaffRoles = (options: PeopleOptions): StaffRoles => {
  const { staff, now } = options;
  const execute = async (command: StaffCommand, { actor, commandId, requestId }: By) => {
    const metadata = { actor, commandId, correlationId: requestId };
    const outcome = await staff.execute(STAFF_STREAM, command, metadata);
    const isChanged = outcome.kind === 'accepted' && outcome.events.length > 0;
    if (isChanged) await changed(options, command.personId, eventId(commandId, 0), now());
    return outcome;
  };
  return {
    change: (personId, role, reason, by) => execute({ type: 'ChangeStaffRole', personId, role, reason }, by),
    dismiss: (personId, reason, by) => execute({ type: 'DismissStaff', personId, reason }, by),
    changed: (personId, cause, at) => changed(options, personId, cause, at),
  };
};

const changed = async (
  { staff, persons, identity }: PeopleOptions,
  personId: string,
  cause: string,
  at: Date,
): Promise<void> => {
  // By the state of the staff and not by the event, which may be followed by another one.
  const { state } = await staff.read(STAFF_STREAM);
  const stream = personStream(personId);
  const metadata = (step: string) => ({ actor: 'system:staff', commandId: derivedId(step, cause) });
  const copy = { type: 'SetStaffRole', role: state.get(personId) ?? null } as const;
  await persons.execute(stream, copy, metadata('copy'), { mayRepeat: true });
  // Only after the copy, by which the next sign-in chooses the kind of the session.
  await identity.sessions.revokeBefore(personId, at);
  const ended = { type: 'RevokeSessions', reason: 'change of the staff role' } as const;
  await persons.execute(stream, ended, metadata('ended'), { mayRepeat: true });
};
