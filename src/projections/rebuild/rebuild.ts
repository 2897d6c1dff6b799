import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { alone, inTurn, type Waiting } from './single-runner.ts';
import { prepare, takeInMost, type Building } from './building.ts';
import { createComparison } from './compare.ts';
import type { Database } from '../database.ts';
import { LIVE, type Projection } from '../projection.ts';
import { createIndexes, createTable, readCheckpoint } from '../rows/rows.ts';
import { compareAll, takeOver } from './take-over.ts';

export type Rebuilt = {
  /** Where the new rows were compared with the live ones; `rows` and `md5` are of there. They took over at this or later. */
  readonly position: number;
  readonly rows: number;
  readonly md5: string;
  readonly version: number;
  /** The version that the live rows had before. */
  readonly before: number;
  /** How many rows differed in what was compared, up to the take-over; undefined where the keys are made otherwise. */
  readonly differing: number | undefined;
  readonly same: boolean | undefined;
  /** The columns that were compared, beside the key. */
  readonly compared: readonly string[];
  /** How many events were taken in; less than all where an earlier rebuild had been stopped. */
  readonly events: number;
  /** For how long, at most, nobody else could move the live rows on or read them. */
  readonly heldMs: number;
};

export type RebuildOptions = Omit<Building, 'schema'> & {
  /** Called again and again while another process rebuilds the same projection. */
  readonly waiting?: Waiting;
};

/**
 * Builds a projection from nothing beside the live one, while that goes on; compares the two at the same position, and
 * takes over in one transaction. A rebuild that was stopped, or killed, goes on from where it was.
 */
export const rebuild = (options: RebuildOptions): Promise<Rebuilt> =>
  alone(options.database, options.projection, options.waiting ?? noted, () => build(options));

const build = async (options: RebuildOptions): Promise<Rebuilt> => {
  const { database, projection } = options;
  const building: Building = { ...options, schema: `rebuild_${projection.name}` };
  const { schema } = building;
  const begun = await prepare(building);

  // Twice: what was appended during the first pass is little, and the second leaves next to nothing.
  await takeInMost(building);
  await takeInMost(building);
  await inTurn(database, projection, async (tx) => {
    await createIndexes(tx, projection, schema);
    await tx.none(`analyze ${schema}.${projection.name}`);
  });

  const comparison = await inTurn(database, projection, (tx) => createComparison(tx, projection, schema));
  const compared = await inTurn(database, projection, (tx) => compareAll(tx, building, comparison), { snapshot: true });
  const { before, differing, position, heldMs } = await takeOver(building, comparison);
  return {
    ...compared,
    version: projection.version,
    before: before.version,
    differing,
    same: differing === undefined ? undefined : differing === 0,
    compared: comparison?.columns ?? [],
    events: position - begun,
    heldMs,
  };
};

/** How the new rows compare with those that they replace. */
export const rebuiltInWords = ({ version, before, differing, same }: Rebuilt): string => {
  const rowsDiffer = `${differing} ${differing === 1 ? 'row differs' : 'rows differ'}`;
  if (version === before) {
    return same ? 'the same as the live rows' : `NOT the same as the live rows, which are replaced: ${rowsDiffer}`;
  }
  const replaced = `version ${version} replaces version ${before}`;
  if (same === undefined) return `${replaced}, whose rows have another key and were not compared`;
  return same
    ? `${replaced}, the same in what both have`
    : `${replaced}, NOT the same in what both have: ${rowsDiffer}`;
};

/** The tables of projections where they are missing; what is there is left as it is. */
export const createMissingTables = async (
  database: Database,
  projections: readonly Projection[],
  waiting: NonNullable<Told['waiting']> = noted,
): Promise<void> => {
  for (const projection of projections) {
    if (await readCheckpoint(database, projection, LIVE)) continue;
    const told: Waiting = (holder) => waiting(projection.name, holder);
    await alone(database, projection, told, () => createTable(database, projection, LIVE));
  }
};

/** What is told of the rebuilds that a start has to make. */
export type Told = {
  readonly waiting?: (projection: string, holder: string) => void;
  readonly tookOver?: (projection: string, rebuilt: Rebuilt) => void;
};

/**
 * The tables of all projections, where they are missing; and a rebuild of those that are of an older version. What newer
 * nodes keep at a version of theirs is left to them.
 */
export const bringUpToDate = async (
  database: Database,
  store: Pick<ChainedLog, 'readFacts'>,
  projections: readonly Projection[],
  progress: (projection: string, position: number, target: number) => void,
  { waiting = noted, tookOver }: Told = {},
): Promise<void> => {
  await createMissingTables(database, projections, waiting);
  for (const projection of projections) {
    const { name } = projection;
    const isOld = async (): Promise<boolean> =>
      ((await readCheckpoint(database, projection, LIVE))?.version ?? Infinity) < projection.version;
    if (!(await isOld())) continue;
    await alone(
      database,
      projection,
      (holder) => waiting(name, holder),
      async () => {
        if (!(await isOld())) return; // Another node has done it meanwhile.
        const told = (position: number, target: number): void => progress(name, position, target);
        const rebuilt = await build({ database, store, projection, progress: told });
        tookOver?.(name, rebuilt);
      },
    );
  }
};

const noted = (): void => undefined;
