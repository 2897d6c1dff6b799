import { Presets, SingleBar } from 'cli-progress';
import { projections } from '../projections/live.ts';
import { LIVE, type Projection } from '../projections/projection.ts';
import { rebuild, type RebuildOptions } from '../projections/rebuild.ts';
import { CliFault } from './fault.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './run.ts';

const names = projections.map(({ name }) => name);

const program = createProgram(
  'rebuild',
  'Build a projection from nothing out of the log, beside the live one; compare the two; let the new one take over.\n' +
    'The gateway may go on meanwhile. A rebuild that was stopped goes on from where it was.',
)
  .usage('[options] <name>')
  .argument('[name]', `the projection: ${names.join(', ')}`)
  .option('--all', 'rebuild all of them, one after another')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run rebuild -- balances
  $ npm run rebuild -- --all
${EXIT_CODES}
Where the new rows are not the same, byte for byte, as the live ones, the exit code is 1: the live ones were wrong.`,
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

const verdict = (same: boolean | undefined): string => {
  if (same === undefined) return 'the live rows were of another version, and are replaced';
  return same ? 'the same as the live rows' : 'NOT the same as the live rows, which are replaced';
};

const rebuildOne = async (
  on: Pick<RebuildOptions, 'database' | 'store'>,
  projection: Projection,
): Promise<ExitCode> => {
  const live = await on.database.oneOrNone(`select 1 from ${LIVE}.checkpoints where name = $1`, [projection.name]);
  if (live === null) throw new CliFault(`${projection.name} has never been built here. Start the gateway once.`);
  // On stderr, and only where somebody is looking.
  const bar = new SingleBar(
    { format: `${projection.name} {bar} {percentage}% | {value} of {total} events | {duration_formatted}` },
    Presets.shades_classic,
  );
  bar.start(0, 0);
  const { rows, position, md5, same } = await rebuild({
    ...on,
    projection,
    progress: (at, target) => {
      bar.setTotal(target);
      bar.update(at);
    },
  }).finally(() => bar.stop());
  await print(`${projection.name}: ${rows} rows up to event ${position}, md5 ${md5}, ${verdict(same)}.`);
  return same === false ? 1 : 0;
};

await runOnDatabase('rebuild', async ({ store, rows: database }) => {
  let worst: ExitCode = 0;
  for (const projection of chosen) if ((await rebuildOne({ database, store }, projection)) === 1) worst = 1;
  return worst;
});
