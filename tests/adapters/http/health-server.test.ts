import { afterEach, describe, expect, test } from 'vitest';
import { startHealthServer } from '../../../src/adapters/http/health-server.ts';
import { resolveConfig } from '../../../src/config.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';

const TOKEN = 'correct-horse-battery';
let running: Awaited<ReturnType<typeof startHealthServer>> | null = null;

afterEach(async () => running?.stop());

async function start(reasons: readonly string[], token?: string, port = 0): Promise<string> {
  const telemetry = createTelemetry({ level: 'silent' });
  telemetry.events.roleReady({ role: 'ingest', seconds: 1 });
  running = await startHealthServer({
    config: resolveConfig(),
    telemetry,
    listen: { host: '127.0.0.1', port, ...(token === undefined ? {} : { token }) },
    notReady: () => reasons,
  });
  return running.url;
}

describe('a process without role serve', () => {
  test.each(['', '/api/v1'])('lives, and says under "%s" whether it can work', async (prefix) => {
    const reasons: string[] = ['Role ingest is held up or has failed.'];
    const url = await start(reasons);
    expect((await fetch(`${url}${prefix}/health`)).status).toBe(200);
    const waiting = await fetch(`${url}${prefix}/ready`);
    expect(waiting.status).toBe(503);
    expect(await waiting.json()).toMatchObject({ code: 'NOT_READY', detail: reasons[0] });
    reasons.pop();
    expect((await fetch(`${url}${prefix}/ready`)).status).toBe(200);
  });

  test('has its metrics, and nothing else', async () => {
    const url = await start([]);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('foretill_role_ready{role="ingest"} 1');
    expect((await fetch(`${url}/api/v1/series`)).status).toBe(404);
  });

  test('names the option of its own port where that is taken', async () => {
    const url = await start([]);
    await expect(start([], undefined, Number(new URL(url).port))).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      remedy: 'Choose another with --metrics-port, or --metrics-port 0 for any that is free.',
    });
  });

  test('keeps its metrics from those without the token, but not its health', async () => {
    const url = await start([], TOKEN);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
  });
});
