import { join } from 'node:path';
import { type Endpoint, printEndpoint } from '../address.ts';
import type { BootFile } from '../boot-schema.ts';
import { quote } from '../problem.ts';
import type { Reading } from '../schema/place.ts';
import type { Draft } from './draft.ts';
import { isEvery } from './listeners.ts';

/** Linux takes 108 bytes, the zero at the end included (unix(7)); others take a few less. */
const LONGEST_SOCKET_PATH = 103;

/** Where the admin socket is when the boot file does not say. */
export function adminSocketIn(data: string): string {
  return join(data, 'admin.sock');
}

/** The Link, and the socket of the command line. */
export function checkLink(boot: Draft<BootFile>, reading: Reading): void {
  checkAdminSocket(boot, reading);
  const { link } = boot;
  if (link === undefined) return;
  checkAddress(link.address, reading);
  const stanza = boot.s2s?.limits?.stanza;
  if (link.queueBytes !== undefined && stanza !== undefined && link.queueBytes < stanza) {
    reading.warn(
      'link.queue_bytes',
      `is less than one stanza may have (s2s.limits.stanza, ${stanza} bytes): a large one is bounced while the Link is down`,
      'Make it larger.',
    );
  }
  if (link.hold !== undefined && link.quiet !== undefined && link.hold < 2 * link.quiet) {
    reading.warn(
      reading.isWritten('link.hold') ? 'link.hold' : 'link.quiet',
      'a dead Link is noticed after twice link.quiet, and stanzas wait for link.hold only',
      'Make hold more than twice as long as quiet.',
    );
  }
}

function checkAddress(address: Endpoint | undefined, reading: Reading): void {
  if (address === undefined || !isEvery(address.host)) return;
  reading.error(
    'link.address',
    `${quote(printEndpoint(address))} is no address that a Core could dial`,
    'Write the name or the address under which the Cores reach this box.',
  );
}

function checkAdminSocket({ data, adminSocket }: Draft<BootFile>, reading: Reading): void {
  const path = adminSocket ?? (data === undefined ? undefined : adminSocketIn(data));
  if (path !== undefined) checkSocketPath(path, adminSocket === undefined ? 'data' : 'admin_socket', reading);
}

/** Whether the operating system takes the path of an admin socket; `key` is what it comes from. */
export function checkSocketPath(path: string, key: 'data' | 'admin_socket', reading: Reading): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_SOCKET_PATH) return;
  reading.error(
    key,
    `the path of the admin socket has ${bytes} bytes, and the operating system takes ${LONGEST_SOCKET_PATH}`,
    'Write a shorter one: "admin_socket: /run/fedway/admin.sock".',
  );
}
