import { describe, expect, it } from 'vitest';
import { accountOfStream } from '../../../src/domain/account/account.ts';
import type { MailCommand } from '../../../src/domain/mail/mail.ts';
import { createNoticeProcess } from '../../../src/people/notices/notice-process.ts';
import { CHANGE, createWorld, days, Died, FIRST, type Death } from './world.ts';

const accepts: MailCommand = { type: 'RecordSent', messageId: '<m@example.com>', reply: '250 2.0.0' };
const rejects: MailCommand = { type: 'RecordRejection', reply: '550 5.1.1' };
/** One of the two owners of acc_two, and the only contact of acc_none, have no mailbox. */
const outcomeOf = (to: string): MailCommand => (['per_1', 'acc_none'].includes(to) ? rejects : accepts);

/** Accounts with two owners, with one, without any, a closed one, and one that is registered after the publication. */
const announced = async () => {
  const world = createWorld();
  await world.publish(FIRST);
  await world.register('acc_two', 'per_1', 'per_2');
  await world.register('acc_one', 'per_3');
  await world.register('acc_none');
  await world.register('acc_operator');
  await world.register('acc_closed', 'per_4');
  await world.account('acc_closed', { type: 'CloseAccount', reason: 'asked' });
  await world.publish(CHANGE);
  await world.register('acc_later', 'per_5');
  return world;
};

type World = Awaited<ReturnType<typeof announced>>;

/** What one node does until nothing is left. */
const live = async (world: World, death?: Death): Promise<number> => {
  const node = world.startNode(death);
  await node.react();
  await node.send(outcomeOf);
  await node.react();
  return node.steps();
};

const noticesIn = async (world: World): Promise<readonly string[]> =>
  (await world.facts())
    .flatMap(({ event, stream }) => {
      if (event.type === 'NoticeQueued') return [`${accountOfStream(stream)} queued`];
      return event.type === 'NoticeAnswered' ? [`${accountOfStream(stream)} ${event.outcome}`] : [];
    })
    .toSorted();

const ALL = [
  ...['acc_none failed', 'acc_none queued', 'acc_one accepted', 'acc_one queued', 'acc_operator accepted'],
  ...['acc_operator queued', 'acc_two accepted', 'acc_two queued'],
];
const MAILS = 5;

describe('a notice of terms', () => {
  it('is one per open account that was registered before, and one mail per owner', async () => {
    const world = await announced();
    await live(world);
    expect(await noticesIn(world)).toEqual(ALL);
    expect(world.received).toHaveLength(MAILS);
    await world.close();
  });

  it('is sent once if a node dies before or after any step, and a mail in progress at most twice', async () => {
    const whole = await announced();
    const steps = await live(whole);
    await whole.close();
    expect(steps).toBeGreaterThan(15);
    for (let at = 0; at < 2 * steps; at++) {
      const death = { step: Math.floor(at / 2), after: at % 2 === 1 };
      const world = await announced();
      await expect(live(world, death), JSON.stringify(death)).rejects.toThrow(Died);
      await live(world);
      expect(await noticesIn(world), JSON.stringify(death)).toEqual(ALL);
      expect(new Set(world.received).size).toBe(MAILS);
      expect(world.received.length).toBeLessThanOrEqual(MAILS + 1);
      await world.close();
    }
  });

  it('has failed only once all of its mails have', async () => {
    const world = await announced();
    const node = world.startNode();
    await node.react();
    await node.send(() => rejects);
    await node.react();
    expect((await noticesIn(world)).filter((one) => one.endsWith(' failed'))).toHaveLength(4);
    expect((await noticesIn(world)).filter((one) => one === 'acc_two failed')).toHaveLength(1);
    await world.close();
  });

  it('that is withdrawn leads to another mail to the same recipients', async () => {
    const world = await announced();
    await live(world);
    const withdraw = { type: 'WithdrawTerms', document: 'terms', version: '2026-12-20', reason: 'typo' } as const;
    await world.publish({ ...withdraw, at: days(1) });
    await live(world);
    const withdrawn = world.received.filter((stream) => stream.startsWith('mail-notice-withdrawn-'));
    expect(withdrawn).toHaveLength(MAILS);
    expect(await noticesIn(world)).toEqual(ALL);
    await world.close();
  });

  it('is not queued for a change that is not significant', async () => {
    const world = createWorld();
    await world.publish(FIRST);
    await world.register('acc_one', 'per_3');
    await world.publish({ ...CHANGE, significant: false });
    expect(await live(world)).toBe(0);
    await world.close();
  });

  it('stops if its node no longer runs the process', async () => {
    const world = await announced();
    const [published] = (await world.facts()).filter(({ event }) => event.type === 'TermsPublished').slice(1);
    const process = createNoticeProcess(world.options);
    if (!published) throw new Error('nothing was published');
    const [run] = await process.react(published, AbortSignal.abort(new Error('stopped')));
    await expect(run?.({ actor: 'system:notices', commandId: '' })).rejects.toThrow('stopped');
    expect(await noticesIn(world)).toEqual([]);
    await world.close();
  });
});
