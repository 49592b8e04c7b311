import { LARGEST_STANZA } from '../protocol/xml/limits.ts';
import { standard } from './schema/kind.ts';
import { count, duration, size } from './schema/scalar-kinds.ts';
import { section } from './schema/section.ts';

/** `s2s.timeouts`: of all streams between servers, towards partners and towards the inside. */
export const timeouts = section({
  connect: standard(duration(), '10s', 'TCP connect to one address.'),
  tls: standard(duration(), '15s', 'One TLS handshake.'),
  header: standard(duration(), '20s', 'From TCP accept to the complete stream header.'),
  negotiation: standard(duration(), '60s', 'From the stream header to the first authorized pair.'),
  dialback: standard(duration(), '30s', 'A `db:result` or `db:verify` without an answer.'),
  idle: standard(
    duration({ zero: 'never' }),
    '30m',
    'An outgoing stream that carries nothing is closed after this time; 0 is never.',
  ),
  close: standard(
    duration(),
    '5s',
    'From our `</stream:stream>` to theirs; also the longest that ending fedway takes.',
  ),
});

/** `s2s.limits`. */
export const limits = section({
  stanza: standard(
    size(10_000, LARGEST_STANZA, 'RFC 6120 §13.12 does not permit less'),
    '256KiB',
    'Bytes of one stanza after authentication; at least 10000.',
  ),
  queue_stanzas: standard(count(1, 1_000_000), 1000, 'Stanzas that wait per pair while a stream is being set up.'),
  queue_bytes: standard(size(10_000, 1024 ** 3), '1MiB', 'Bytes that wait per pair while a stream is being set up.'),
  connections: standard(count(1, 1_000_000), 10_000, 'Connections from partners at a time.'),
  connections_per_address: standard(count(1, 1_000_000), 64, 'Connections from one address at a time.'),
});
