import { describe, expect, it } from 'vitest';
import { createMetrics, type MetricsOptions } from '../../src/gateway/metrics.ts';

const create = (over: Partial<MetricsOptions> = {}) =>
  createMetrics({
    positions: () => Promise.resolve({ head: 42, projections: { balances: 40 } }),
    disagreeing: () => 0,
    keysByPepper: () =>
      new Map([
        ['2', ['key']],
        ['1', []],
      ]),
    rewindIsOpen: () => false,
    ...over,
  });

describe('metrics', () => {
  it('count what happened, from 0 on', async () => {
    const metrics = create({ disagreeing: () => 3 });
    expect(await metrics.text()).toContain('kissapi_audit_samples_total{result="disagreed"} 0\n');
    for (const status of [200, 204, 404, 503, undefined]) metrics.answered(status);
    metrics.audited('agreed');
    metrics.orphanedHoldReleased();
    for (const status of [401, 503, 503]) metrics.upstreamRefused('openai', status);
    for (const outcome of ['queued', 'sent', 'sent'] as const) metrics.mail(outcome);
    const text = await metrics.text();
    for (const line of [
      'kissapi_http_requests_total{status="2xx"} 2',
      'kissapi_http_requests_total{status="4xx"} 1',
      'kissapi_http_requests_total{status="5xx"} 1',
      'kissapi_http_requests_total{status="aborted"} 1',
      'kissapi_audit_samples_total{result="agreed"} 1',
      'kissapi_audit_disagreeing_accounts 3',
      'kissapi_live_keys{pepper="2"} 1',
      'kissapi_live_keys{pepper="1"} 0',
      'kissapi_orphaned_holds_released_total 1',
      'kissapi_upstream_refusals_total{upstream="openai",status="401"} 1',
      'kissapi_upstream_refusals_total{upstream="openai",status="503"} 2',
      'kissapi_mails_total{outcome="queued"} 1',
      'kissapi_mails_total{outcome="sent"} 2',
      'kissapi_mails_total{outcome="failed"} 0',
      'kissapi_log_head_position 42',
      'kissapi_projection_position{projection="balances"} 40',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it('show how far the copy of a log in EventStoreDB is behind, and nothing of it for other logs', async () => {
    expect(await create().text()).not.toContain('sequencer');
    const text = await create({ copyLag: () => ({ events: 7, ms: 120 }) }).text();
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['kissapi_sequencer_lag_events 7', 'kissapi_sequencer_lag_ms 120']),
    );
  });

  it('are those of one gateway, however many there are in a process', async () => {
    const [one, other] = [create(), create()];
    one.audited('agreed');
    expect(await other.text()).toContain('kissapi_audit_samples_total{result="agreed"} 0\n');
  });

  it('are there while the database is away, and do not say what was true before', async () => {
    let away = false;
    const metrics = create({
      positions: () =>
        away ? Promise.reject(new Error('away')) : Promise.resolve({ head: 42, projections: { balances: 40 } }),
    });
    await metrics.text();
    away = true;
    const text = await metrics.text();
    expect(text).toMatch(/^kissapi_log_head_position nan$/im);
    expect(text).not.toContain('projection="balances"');
    expect(text).toContain('kissapi_audit_samples_total');
  });

  it('show processes that this node runs, and the mail that waits', async () => {
    const metrics = create();
    metrics.watchProcess({ name: 'mail', status: { leads: true, position: 40, parked: 2, stuck: 1 } });
    metrics.watchProcess({ name: 'elsewhere', status: { leads: false, position: 7, parked: 0, stuck: 0 } });
    let away = false;
    metrics.watchMail(() =>
      away ? Promise.reject(new Error('away')) : Promise.resolve({ waiting: 3, oldestMs: 90_500 }),
    );
    const text = await metrics.text();
    for (const line of [
      'kissapi_process_position{process="mail"} 40',
      'kissapi_process_parked_commands{process="mail"} 2',
      'kissapi_process_stuck_streams{process="mail"} 1',
      'kissapi_mails_waiting 3',
      'kissapi_mail_oldest_waiting_seconds 90.5',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).not.toContain('elsewhere');
    away = true;
    expect(await metrics.text()).toMatch(/^kissapi_mails_waiting nan$/im);
  });
});
