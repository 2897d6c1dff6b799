import { compareAcknowledged, compareDeliveries, compareWithdrawn, type Deliveries, type LogImage } from './compare.ts';
import { readRecords } from './records.ts';
import type { Tally } from './trouble.ts';

export type Verdict = Deliveries &
  Pick<LogImage, 'events' | 'outOfPlace' | 'brokenLinks' | 'idsTwice'> & {
    readonly acknowledged: number;
    readonly acknowledgedLost: number;
    readonly withdrawn: number;
    readonly withdrawnKept: number;
    /** Other failures and their times, as text. */
    readonly complaints: readonly string[];
    readonly tally: Tally;
  };

/** All violations. */
export const faultsOf = (verdict: Verdict): readonly string[] => [
  ...(
    [
      'losses',
      'duplicates',
      'reorderings',
      'strangers',
      'acknowledgedLost',
      'withdrawnKept',
      'outOfPlace',
      'brokenLinks',
      'idsTwice',
    ] as const
  )
    .filter((name) => verdict[name] > 0)
    .map((name) => `${name}: ${verdict[name]}`),
  ...verdict.complaints,
];

/** The path of a process's records. */
export type FileOf = (name: string, kind: 'delivered' | 'acknowledged' | 'withdrawn') => string;

type Evidence = Pick<Verdict, 'complaints' | 'tally'> & {
  readonly image: LogImage;
  readonly fileOf: FileOf;
  readonly followers: readonly string[];
  readonly writers: readonly string[];
};

/** Compares the records of each process with the log. */
export const judge = async ({ image, fileOf, followers, writers, complaints, tally }: Evidence): Promise<Verdict> => {
  const { events, outOfPlace, brokenLinks, idsTwice } = image;
  const given = { deliveries: 0, losses: 0, duplicates: 0, reorderings: 0, strangers: 0 };
  for (const name of followers) {
    const counts = await compareDeliveries(image, readRecords(fileOf(name, 'delivered')));
    for (const key of Object.keys(given) as (keyof Deliveries)[]) given[key] += counts[key];
  }
  const told = { acknowledged: 0, acknowledgedLost: 0, withdrawn: 0, withdrawnKept: 0 };
  for (const name of writers) {
    const { acknowledged, lost } = await compareAcknowledged(image, readRecords(fileOf(name, 'acknowledged')));
    const { withdrawn, kept } = await compareWithdrawn(image, readRecords(fileOf(name, 'withdrawn')));
    told.acknowledged += acknowledged;
    told.acknowledgedLost += lost;
    told.withdrawn += withdrawn;
    told.withdrawnKept += kept;
  }
  return { events, outOfPlace, brokenLinks, idsTwice, ...given, ...told, complaints, tally };
};
