import { describe, it } from 'vitest';
import { reactionDecider, type ReactionEvent } from '../../../src/domain/reactions/parked-reactions.ts';
import { specify } from '../../given.ts';

const given = specify(reactionDecider);
const reaction = { eventId: 'event-1', stream: 'account-acc_1', command: 1 } as const;
const parked: ReactionEvent = { type: 'ReactionParked', ...reaction, refusal: 'account_not_found' };
const resumed: ReactionEvent = { type: 'ReactionResumed', ...reaction, reason: 'registered since' };
const park = { type: 'ParkReaction', ...reaction, refusal: 'account_not_found' } as const;
const resume = { type: 'ResumeReaction', ...reaction, reason: 'registered since' } as const;

describe('ParkReaction', () => {
  it('parks a refused command', () => given().when(park).then(parked));
  it('parks it once', () => given(parked).when(park).then());
  it('parks it again after it was resumed', () => given(parked, resumed).when(park).then(parked));
});

describe('ResumeReaction', () => {
  it('resumes a parked command', () => given(parked).when(resume).then(resumed));
  it('refuses a command that is not parked', () => given().when(resume).thenRefused('reaction_not_parked'));
  it('refuses another command of the same event', () =>
    given(parked)
      .when({ ...resume, command: 0 })
      .thenRefused('reaction_not_parked'));
  it('refuses a command that was resumed', () =>
    given(parked, resumed).when(resume).thenRefused('reaction_not_parked'));
});
