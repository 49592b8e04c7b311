import { expect, it } from 'vitest';
import { CoreBox, connected, EdgeBox, message, PAIR, untilTrue } from '../support/link-boxes.ts';

it('a Core joins by a token, and stanzas and messages pass both ways', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start();
  await connected(edge, core);
  expect(core.edge.offer(message('out'), PAIR)).toBe('taken');
  expect(edge.core.offer(message('in'), PAIR)).toBe('taken');
  expect(core.edge.tell({ is: 'homes', domains: ['coluc.com'] })).toBe(true);
  await untilTrue(() => edge.recorder.messages.length === 1 && core.recorder.delivered.length === 1);
  await untilTrue(() => edge.recorder.delivered.length === 1);
  expect(edge.recorder.delivered).toEqual(['out']);
  expect(core.recorder.delivered).toEqual(['in']);
  expect(edge.recorder.messages).toEqual([{ is: 'homes', domains: ['coluc.com'] }]);
  await untilTrue(() => core.edge.facts.queued.stanzas === 0);
  expect(core.edge.facts).toMatchObject({
    state: 'up',
    because: undefined,
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
    queued: { stanzas: 0, bytes: 0 },
    stanzasIn: 1,
    stanzasOut: 1,
  });
  expect(core.edge.name).toBe('edge-1');
  expect(edge.core.name).toBe('core-1');
});
