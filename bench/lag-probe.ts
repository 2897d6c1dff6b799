import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a gateway by `--import`. At SIGUSR2 it tells, in ms, how late timers were at the most and at the 99th
 * percentile since the last time, and how much CPU time the main thread took at the most between two of them: that is
 * what the gateway itself holds others up for, however busy the machine is.
 */
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let before = cpu();
  let busiest = 0;
  setInterval(() => {
    const now = cpu();
    busiest = Math.max(busiest, now - before);
    before = now;
  }, 1).unref();
  process.on('SIGUSR2', () => {
    process.stderr.write(`lag ${delay.max / 1e6} ${delay.percentile(99) / 1e6} ${busiest}\n`);
    delay.reset();
    busiest = 0;
  });
}
