import { afterEach, describe, expect, test } from 'vitest';
import { AxlService, envelope, PASSWORD } from '../../../test/support/axl-service.ts';
import type { Conversation, Tap } from '../capture/tap.ts';

let service: AxlService;

afterEach(() => {
  service.server.destroy();
});

describe('what a capture is told of AXL', () => {
  test('each connection, requests as they came and answers as they left, with stars for what proves who somebody is', async () => {
    const told: { conversation: Conversation; in: string; out: string; closed: number }[] = [];
    const tap: Tap = {
      opened: (conversation) => {
        const one = { conversation, in: '', out: '', closed: 0 };
        told.push(one);
        return {
          data: (direction, bytes) => {
            one[direction] += Buffer.from(bytes).toString();
          },
          closed: () => {
            one.closed += 1;
          },
        };
      },
    };
    service = await AxlService.start({}, tap);
    const body = envelope('executeSQLQuery', 'select 1');
    const answered = await service.soap(body, { 'Transfer-Encoding': 'chunked', 'X-Own': 'a' });
    await service.ask({
      method: 'POST',
      path: '/api/v1/users',
      headers: { 'Content-Type': 'application/json' },
      body: '{"user":"bob","p\\u0061ssword":"hunter22"}',
    });
    await service.ask({ method: 'POST', user: 'nobody', body: 'perhaps a secret' });
    await service.quiet();
    expect(told.map(({ conversation, closed }) => [conversation.protocol, conversation.local.port, closed])).toEqual([
      ['http', service.port, 1],
      ['http', service.port, 1],
      ['http', service.port, 1],
    ]);
    const [soap, users, refused] = told;
    expect(soap?.in).toMatch(/^POST \/axl\/ HTTP\/1\.1\r\n/);
    expect(soap?.in).toContain('X-Own: a\r\n');
    // Whatever pieces it came in, the body is told in one.
    expect(soap?.in.endsWith(`\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).toBe(true);
    expect(soap?.out).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(soap?.out.endsWith(answered.body)).toBe(true);
    expect(users?.in).toMatch(/\r\n\r\n\*{41}$/);
    // What is refused is what somebody looks for; of a body that nobody has read nobody knows what is in it.
    expect(refused?.in).toMatch(/^POST \/axl\/ [^]*\r\n\r\n\*{16}$/);
    expect(refused?.out).toMatch(/^HTTP\/1\.1 403 /);
    const everything = told.map((each) => each.in + each.out).join('');
    expect(everything).toMatch(/^Authorization: \*+\r$/m);
    expect(everything).not.toContain('hunter22');
    expect(everything).not.toContain(Buffer.from(`core:${PASSWORD}`).toString('base64'));
  });
});
