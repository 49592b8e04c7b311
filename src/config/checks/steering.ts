import { type Endpoint, printEndpoint } from '../address.ts';
import type { BootFile } from '../boot-schema.ts';
import { quote } from '../problem.ts';
import type { Reading } from '../schema/place.ts';
import { type Draft, present } from './draft.ts';
import { isEvery, isSame } from './listeners.ts';

/** The steering responder, and that nothing of fedway asks it. */
export function checkSteering(boot: Draft<BootFile>, reading: Reading): void {
  const { dns } = boot;
  if (dns === undefined) return;
  refuseLoop(
    'resolver.servers',
    boot.resolver?.servers,
    'fedway would find itself in place of every partner',
    boot,
    reading,
  );
  refuseLoop('dns.forward_to', dns.forwardTo, 'questions would go round for ever', boot, reading);
  if (dns.rest === 'forward' && dns.forwardTo?.length === 0) {
    reading.error(
      'dns.rest',
      'there is nobody to forward to',
      'Write "forward_to: ["10.0.0.1:53"]" with the usual DNS server of the inside.',
    );
  }
  if (dns.rest === 'refuse' && (dns.forwardTo?.length ?? 0) > 0) {
    reading.warn('dns.forward_to', 'has no effect with rest: refuse', 'Write "rest: forward", or remove it.');
  }
  for (const { key, value } of present('dns.answer', dns.answer)) {
    if (isEvery(value))
      reading.error(key, `${quote(value)} is no address to send somebody to`, 'Write an inside address of this box.');
    else checkReached(key, value, dns.port, boot, reading);
  }
  for (const { key, value } of present('dns.listen', dns.listen)) {
    if (dns.rest !== 'forward' || !isEvery(value.host)) continue;
    reading.warn(
      key,
      `${quote(printEndpoint(value))} is every address: with rest: forward the world may use it as its resolver`,
      'Listen on the inside address only.',
    );
  }
}

function refuseLoop(
  key: string,
  servers: readonly (Endpoint | undefined)[] | undefined,
  effect: string,
  boot: Draft<BootFile>,
  reading: Reading,
): void {
  for (const server of present(key, servers)) {
    const own = present('dns.listen', boot.dns?.listen).find(({ value }) => isSame(value, server.value));
    if (own === undefined) continue;
    const shown = quote(printEndpoint(server.value));
    reading.error(
      server.key,
      `${shown} is fedway's own steering responder (${own.key}): ${effect}`,
      'Name another DNS server.',
    );
  }
}

/** Whether the answer leads to a listener of ours. With address translation in between it need not, hence a warning. */
function checkReached(
  key: string,
  address: string,
  port: number | undefined,
  boot: Draft<BootFile>,
  reading: Reading,
): void {
  const listeners = present('inside.listen', boot.inside?.listen);
  if (port === undefined || listeners.length < (boot.inside?.listen?.length ?? 1)) return;
  const family = address.includes(':');
  const reached = listeners.some(
    ({ value }) =>
      value.port === port && (value.host === address || (isEvery(value.host) && value.host.includes(':') === family)),
  );
  if (reached) return;
  reading.warn(
    key,
    `nothing of inside.listen is at ${quote(printEndpoint({ host: address, port }))}, where the server inside is sent`,
    'Write an address of inside.listen, and its port as dns.port.',
  );
}
