import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Preloaded into a gateway by `--import`. At SIGUSR2 it prints three values in ms since the last SIGUSR2: the largest delay of
 * timers, its 99th percentile, and the most CPU time of the main thread between two timers. The last value does not depend on
 * other processes of the machine.
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
