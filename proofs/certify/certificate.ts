import { isClean, merged, type Findings } from './compare.ts';
import type { DiskFullReport } from './disk-full.ts';
import type { KillsReport } from './kills.ts';
import type { Acknowledged } from './record.ts';
import type { LAST_GATEWAYS, RewindsReport, WAYS } from './rewinds.ts';
import type { PutBack, StoreRewindsReport } from './store-rewinds.ts';
import { kindsInWords, type Kind } from './world.ts';

export type Proof = {
  readonly seed: number;
  /** Undefined if no kills were requested. */
  readonly kills: KillsReport | undefined;
  /** Undefined if no rewinds were requested. */
  readonly rewinds?: RewindsReport | undefined;
  /** The same for a log in EventStoreDB. */
  readonly storeRewinds?: StoreRewindsReport | undefined;
  /** The reason if it could not run; undefined if it was not requested. */
  readonly diskFull: DiskFullReport | string | undefined;
};

/** The maximum of printed findings of each kind; the record has the rest. */
const TOLD = 10;

const diskFullOf = ({ diskFull }: Proof): DiskFullReport | undefined =>
  typeof diskFull === 'string' ? undefined : diskFull;

const findingsOf = (proof: Proof): Findings => {
  const ofDisk = diskFullOf(proof);
  const all = merged(
    [proof.kills?.findings, proof.rewinds?.findings, proof.storeRewinds?.findings, ofDisk?.checked.findings].filter(
      (found) => found !== undefined,
    ),
  );
  return { ...all, broken: [...all.broken, ...(ofDisk?.broken ?? [])] };
};

export const isCertified = (proof: Proof): boolean => isClean(findingsOf(proof));

const counted = <T extends string>(all: readonly T[], names: Readonly<Record<T, string>>): string =>
  (Object.keys(names) as T[])
    .map((one) => [all.filter((other) => other === one).length, names[one]] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} × ${name}`)
    .join(', ');

const acknowledgedInWords = (all: readonly Acknowledged[]): string =>
  counted(
    all.map(({ what }) => what),
    { completion: 'completion', grant: 'grant', key: 'key', revocation: 'revocation' },
  );

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const tellKills = ({
  kills,
  nodes,
  asked,
  acknowledged,
  events,
  charges,
  orphans,
  checks,
  settledMs,
  answers,
  longestGapMs,
}: KillsReport): string[] => [
  `killed          ${kills.length}: ${counted<Kind>(kills, kindsInWords)}`,
  `asked           ${asked} completions of ${nodes} gateways behind a balancer`,
  `acknowledged    ${acknowledgedInWords(acknowledged)}`,
  `answers         ${[...answers].map(([outcome, count]) => `${count} × ${outcome}`).join(', ')}`,
  `longest gap     ${seconds(longestGapMs)} between two complete responses`,
  `in the log      ${events} events; ${charges} charges; ${orphans} holds of dead processes, given back`,
  `checked         ${checks} × the whole log; every hold had ended ${seconds(settledMs)} after the load at the latest`,
];

const tellDiskFull = (diskFull: DiskFullReport | string): string[] =>
  typeof diskFull === 'string'
    ? [`disk full       SKIPPED, for no small disk could be mounted: ${diskFull}`]
    : [
        `disk full       twice; served again within ${seconds(diskFull.recoveredMs)} of there being room; ` +
          `acknowledged ${acknowledgedInWords(diskFull.acknowledged)}`,
      ];

const waysInWords: Readonly<Record<(typeof WAYS)[number], string>> = {
  restored: 'restored from a copy',
  promoted: 'replaced by a standby that was behind',
};
const lastInWords: Readonly<Record<(typeof LAST_GATEWAYS)[number], string>> = {
  busy: 'all gateways under load',
  idle: 'one gateway idle',
  stopped: 'one gateway stopped, and started afterwards',
};

const tellRewinds = ({ rewinds, nodes, ...report }: RewindsReport): string[] => [
  `back in time    ${rewinds.length} times under ${nodes} gateways: ${counted(
    rewinds.map(({ way }) => way),
    waysInWords,
  )}`,
  `                ${counted(
    rewinds.map(({ last }) => last),
    lastInWords,
  )}`,
  `asked           ${report.asked} completions; acknowledged ${acknowledgedInWords(report.acknowledged)}`,
  `noticed         by every running gateway within ${seconds(report.noticedMs)}; no completion until acknowledged`,
  `gone            ${report.gone} acknowledged: only what came after the restored end of the log`,
  `named           ${report.namedEvents} of ${report.lostEvents} lost events, all that were acknowledged among them`,
];

const putBackInWords: Readonly<Record<PutBack, string>> = {
  'event-store': 'EventStoreDB',
  'event-store-behind': 'EventStoreDB, with a copy that was behind',
  database: 'PostgreSQL',
};

const tellStoreRewinds = ({ rewinds, nodes, ...report }: StoreRewindsReport): string[] => [
  `back in time    ${rewinds.length} times under ${nodes} gateways: ${counted(rewinds, putBackInWords)}`,
  `asked           ${report.asked} completions; acknowledged ${acknowledgedInWords(report.acknowledged)}`,
  `restored        ${report.restoredEvents} events from the other store; served again within ${seconds(report.servedMs)}; ` +
    `copied again within ${seconds(report.copiedMs)}, erased again within ${seconds(report.erasedMs)}`,
  `gone            ${report.gone} acknowledged, which only EventStoreDB had; reported ${report.acknowledgements} times`,
];

export const certificate = (proof: Proof): string => {
  const findings = findingsOf(proof);
  const { lost, doubled, differing, openHolds, broken } = findings;
  const names = { lost, doubled, differing, 'holds left open': openHolds, 'broken promises': broken };
  const details = Object.entries(names).flatMap(([name, found]) =>
    found.slice(0, TOLD).map((detail) => `${name}: ${detail}`),
  );
  return [
    `KissAPI durability certificate, seed ${proof.seed}`,
    ...(proof.kills ? tellKills(proof.kills) : []),
    ...(proof.rewinds ? tellRewinds(proof.rewinds) : []),
    ...(proof.storeRewinds ? tellStoreRewinds(proof.storeRewinds) : []),
    ...(proof.diskFull === undefined ? [] : tellDiskFull(proof.diskFull)),
    ...Object.entries(names).map(([name, found]) => `${name.padEnd(15)} ${found.length}`),
    ...details,
    isClean(findings) ? 'CERTIFIED' : 'NOT CERTIFIED',
  ].join('\n');
};
