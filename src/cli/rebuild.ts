import { projections } from '../projections/rows/live.ts';
import { LIVE, type Projection } from '../projections/projection.ts';
import { rebuild, rebuiltInWords, type RebuildOptions } from '../projections/rebuild/rebuild.ts';
import { readCheckpoint } from '../projections/rows/rows.ts';
import { TableInUse } from '../projections/rebuild/take-over.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import { createBar } from './terminal/progress.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

const names = projections.map(({ name }) => name);

const program = createProgram(
  'rebuild',
  'Build a projection from the whole log beside the live one, compare the two, and let the new one take over.\n' +
    'The gateway may keep running. An interrupted rebuild is resumed.',
)
  .usage('[options] <name>')
  .argument('[name]', `the projection: ${names.join(', ')}`)
  .option('--all', 'rebuild all projections, one after another')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run rebuild -- balances
  $ npm run rebuild -- --all
${EXIT_CODES}
Where the new rows are not the same, byte for byte, as the live ones, the exit code is 1: the live ones were wrong. Where
their versions differ, the columns that both have are compared, unless the new version says that it changed them.`,
  )
  .parse();

const [name] = program.args;
const { all = false } = program.opts<{ all?: true }>();
const chosen = all ? projections : projections.filter((projection) => projection.name === name);
if (all && name !== undefined) program.error('error: give a name or --all, not both');
if (chosen.length === 0) {
  program.error(
    `error: ${name === undefined ? 'no projection is named' : `there is no projection ${name}`}; there are ${names.join(', ')}`,
  );
}

const rebuildOne = async (
  on: Pick<RebuildOptions, 'database' | 'store'>,
  projection: Projection,
): Promise<ExitCode> => {
  const live = await readCheckpoint(on.database, projection, LIVE);
  if (!live) throw new CliFault(`${projection.name} has never been built here. Start the gateway once.`);
  if (live.version > projection.version) {
    console.error(
      `rebuild: ${projection.name} is at version ${live.version}, made by newer software: this takes it BACK to version ` +
        `${projection.version}, until a newer node starts.`,
    );
  }
  const bar = createBar(projection.name, 'events', ' | {speed} events/s');
  bar.start(0, 0, { speed: 0 });
  const speed = createSpeed();
  const rebuilt = await rebuild({
    ...on,
    projection,
    progress: (at, target) => {
      bar.setTotal(target);
      bar.update(at, { speed: speed(at) });
    },
    waiting: (holder) =>
      console.error(`rebuild: another process is rebuilding ${projection.name}: waiting until it is done: ${holder}`),
  })
    .catch((cause: unknown) => {
      throw cause instanceof TableInUse ? new CliFault(cause.message, { cause }) : cause;
    })
    .finally(() => bar.stop());
  const { rows, position, md5, events, same, heldMs } = rebuilt;
  await print(
    `${projection.name}: ${counted(rows, 'row')} up to event ${position}, md5 ${md5}; ${counted(events, 'event')} at ${speed(position)} events/s, ` +
      `took over in ${Math.ceil(heldMs)} ms; ${rebuiltInWords(rebuilt)}.`,
  );
  return same === false ? 1 : 0;
};

/** Events per second since the first position that it received. */
const createSpeed = (): ((position: number) => number) => {
  let first: { readonly position: number; readonly at: number } | undefined;
  return (position) => {
    first ??= { position, at: performance.now() };
    const seconds = (performance.now() - first.at) / 1000;
    return Math.round((position - first.position) / Math.max(seconds, 0.001));
  };
};

await runOnDatabase('rebuild', async ({ store, rows: database }) => {
  let worst: ExitCode = 0;
  for (const projection of chosen) if ((await rebuildOne({ database, store }, projection)) === 1) worst = 1;
  return worst;
});
