/** A node in a process of its own, which kills itself at a step: `node node.ts <module of the subject> [step]`. */
import { startProcess, type Process } from '../../../src/reactions/process.ts';
import { openNode, type ProcessNode, type Subject } from './subject.ts';

const [module = '', step = ''] = process.argv.slice(2);
const { subject } = (await import(module)) as { subject: Subject };

const reach = (reached: string): void => {
  if (reached === step) process.kill(process.pid, 'SIGKILL');
};

const dying = (one: Process): Process => ({
  ...one,
  react: async (fact) => {
    reach('before the reaction');
    const reactions = await one.react(fact);
    return reactions.map((reaction, n) => async (metadata) => {
      reach(`before command ${n}`);
      const outcome = await reaction(metadata);
      reach(`after command ${n}`);
      return outcome;
    });
  },
});

const dyingStore = (store: ProcessNode['store']): ProcessNode['store'] => ({
  ...store,
  // Only a checkpoint reads one event.
  readAll: (after, limit, types) => {
    if (limit === 1 && after > 0) reach('before the checkpoint');
    return store.readAll(after, limit, types);
  },
});

const node = openNode(process.env['NODE_DATABASE_URL'] ?? '');
startProcess({
  ...node,
  process: dying(subject.process(node)),
  store: dyingStore(node.store),
  reactions: {
    read: node.reactions.read,
    execute: async (...asked) => {
      reach('before parking');
      const outcome = await node.reactions.execute(...asked);
      reach('after parking');
      return outcome;
    },
  },
  silentMs: 2000,
  parked: () => undefined,
  failed: (error) => console.error(error),
  rewound: () => undefined,
  saved: () => reach('after the checkpoint'),
});
console.log('running');
