import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { StaffRole } from './person-events.ts';

/**
 * The events of the staff, all on one stream, so that "one owner stays" is decided on one state. They are the truth of
 * who has which role; the stream of a person has a copy. Names and fields are on disk permanently.
 */
export type StaffEvent =
  /** Also a change of role. */
  | { readonly type: 'StaffAppointed'; readonly personId: string; readonly role: StaffRole; readonly reason: string }
  | { readonly type: 'StaffDismissed'; readonly personId: string; readonly reason: string };

export type StaffCommand =
  | { readonly type: 'AppointStaff'; readonly personId: string; readonly role: StaffRole; readonly reason: string }
  | { readonly type: 'ChangeStaffRole'; readonly personId: string; readonly role: StaffRole; readonly reason: string }
  | { readonly type: 'DismissStaff'; readonly personId: string; readonly reason: string };

/** In order of precedence. */
export type StaffRefusal = { readonly code: 'staff_not_found' | 'last_staff_owner' };

/** The roles of the persons who are staff. */
export type Staff = ReadonlyMap<string, StaffRole>;

export const STAFF_STREAM = 'staff';

export const ownersOf = (staff: Staff): readonly string[] =>
  [...staff].flatMap(([personId, role]) => (role === 'owner' ? [personId] : []));

export const evolveStaff = (staff: Staff, event: StaffEvent): Staff => {
  switch (event.type) {
    case 'StaffAppointed':
      return new Map(staff).set(event.personId, event.role);
    case 'StaffDismissed':
      return new Map([...staff].filter(([personId]) => personId !== event.personId));
  }
};

export const decideStaff = (command: StaffCommand, staff: Staff): Decision<StaffEvent, StaffRefusal> => {
  const { personId, reason } = command;
  const before = staff.get(personId);
  if (before === undefined && command.type !== 'AppointStaff') return refuse({ code: 'staff_not_found' });
  const role = command.type === 'DismissStaff' ? undefined : command.role;
  if (before === role) return accept();
  if (before === 'owner' && ownersOf(staff).length === 1) return refuse({ code: 'last_staff_owner' });
  return role === undefined
    ? accept({ type: 'StaffDismissed', personId, reason })
    : accept({ type: 'StaffAppointed', personId, role, reason });
};

export const staffDecider: Decider<Staff, StaffCommand, StaffEvent, StaffRefusal> = {
  initial: () => new Map(),
  evolve: evolveStaff,
  decide: decideStaff,
};
