import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { alone, inTurn, type Waiting } from './single-runner.ts';
import { prepare, catchUp, type Building } from './building.ts';
import { createComparison } from './compare.ts';
import type { Database } from '../database.ts';
import { LIVE, type Projection } from '../projection.ts';
import { createIndexes, createTable, readCheckpoint } from '../rows/rows.ts';
import { compareAll, takeOver } from './take-over.ts';

export type Rebuilt = {
  /**
   * The position at which all rows were compared. `rows` and `md5` are from that position; the take-over was at it or
   * later.
   */
  readonly position: number;
  readonly rows: number;
  readonly md5: string;
  readonly version: number;
  /** The version of the live rows before. */
  readonly before: number;
  /** How many rows differed in the compared columns, up to the take-over; undefined if the keys differ. */
  readonly differing: number | undefined;
  readonly same: boolean | undefined;
  /** The compared columns, without the key. */
  readonly compared: readonly string[];
  /** The number of applied events; fewer than all if an interrupted rebuild was continued. */
  readonly events: number;
  /** The longest time during which other sessions could neither write nor read the live rows. */
  readonly heldMs: number;
};

export type RebuildOptions = Omit<Building, 'schema'> & {
  /** Called repeatedly while another process rebuilds the same projection. */
  readonly waiting?: Waiting;
};

/**
 * Builds a projection from the start of the log while the live one is in use, compares the two at the same position, and
 * replaces the live one in one transaction. An interrupted or killed rebuild is continued.
 */
export const rebuild = (options: RebuildOptions): Promise<Rebuilt> =>
  alone(options.database, options.projection, options.waiting ?? ignore, () => build(options));

const build = async (options: RebuildOptions): Promise<Rebuilt> => {
  const { database, projection } = options;
  const building: Building = { ...options, schema: `rebuild_${projection.name}` };
  const { schema } = building;
  const begun = await prepare(building);

  // Twice, so that few events are left for the take-over.
  await catchUp(building);
  await catchUp(building);
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

/** Describes how the new rows compare with the replaced ones. */
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

/** Creates missing tables of projections; existing tables are not changed. */
export const createMissingTables = async (
  database: Database,
  projections: readonly Projection[],
  waiting: NonNullable<RebuildEvents['waiting']> = ignore,
): Promise<void> => {
  for (const projection of projections) {
    if (await readCheckpoint(database, projection, LIVE)) continue;
    const told: Waiting = (holder) => waiting(projection.name, holder);
    await alone(database, projection, told, () => createTable(database, projection, LIVE));
  }
};

/** Callbacks for the rebuilds at a start. */
export type RebuildEvents = {
  readonly waiting?: (projection: string, holder: string) => void;
  readonly tookOver?: (projection: string, rebuilt: Rebuilt) => void;
};

/**
 * Creates the missing tables of all projections, and rebuilds those of an older version. Tables of a newer version are left
 * to the nodes that maintain them.
 */
export const bringUpToDate = async (
  database: Database,
  store: Pick<ChainedLog, 'readFacts'>,
  projections: readonly Projection[],
  progress: (projection: string, position: number, target: number) => void,
  { waiting = ignore, tookOver }: RebuildEvents = {},
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
        if (!(await isOld())) return; // Another node has rebuilt it meanwhile.
        const told = (position: number, target: number): void => progress(name, position, target);
        const rebuilt = await build({ database, store, projection, progress: told });
        tookOver?.(name, rebuilt);
      },
    );
  }
};

const ignore = (): void => undefined;
