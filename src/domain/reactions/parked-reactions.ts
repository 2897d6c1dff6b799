import { accept, refuse, type Decider } from '../decider.ts';

/** Identifies one command of a reaction: the event that caused it, and its number among the commands for that event. */
export type ReactionId = {
  readonly eventId: string;
  /** The stream of the event. */
  readonly stream: string;
  /** From 0. */
  readonly command: number;
};

/** finance: nothing. A command that a process sent was refused. It waits for an operator, and the process goes on. */
export type ReactionParked = ReactionId & {
  readonly type: 'ReactionParked';
  /** The code of the refusal. */
  readonly refusal: string;
};

/** finance: nothing. An operator has removed the cause of a refusal: the process sends the command again. */
export type ReactionResumed = ReactionId & { readonly type: 'ReactionResumed'; readonly reason: string };

export type ReactionEvent = ReactionParked | ReactionResumed;

export type ReactionCommand =
  | (ReactionId & { readonly type: 'ParkReaction'; readonly refusal: string })
  | (ReactionId & { readonly type: 'ResumeReaction'; readonly reason: string });

export type ReactionRefusal = { readonly code: 'reaction_not_parked' };

/** The parked commands of a process, by `reactionKey`. Changes in place. */
export type ParkedReactions = Map<string, ReactionId & { readonly refusal: string }>;

/** The stream of a process. */
export const processStream = (process: string): string => `process-${process}`;

export const reactionKey = ({ eventId, command }: Pick<ReactionId, 'eventId' | 'command'>): string =>
  `${eventId}#${command}`;

export const evolveReactions = (parked: ParkedReactions, event: ReactionEvent): ParkedReactions => {
  switch (event.type) {
    case 'ReactionParked': {
      const { type: _, ...reaction } = event;
      return parked.set(reactionKey(event), reaction);
    }
    case 'ReactionResumed':
      parked.delete(reactionKey(event));
      return parked;
  }
};

export const reactionDecider: Decider<ParkedReactions, ReactionCommand, ReactionEvent, ReactionRefusal> = {
  initial: () => new Map(),
  evolve: evolveReactions,
  decide: (command, parked) => {
    const isParked = parked.has(reactionKey(command));
    switch (command.type) {
      case 'ParkReaction':
        return isParked ? accept() : accept({ ...command, type: 'ReactionParked' });
      case 'ResumeReaction':
        return isParked ? accept({ ...command, type: 'ReactionResumed' }) : refuse({ code: 'reaction_not_parked' });
    }
  },
};
