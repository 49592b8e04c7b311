import { hash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { bindingHash } from '../../net/tls/algorithms.ts';
import type { ChannelBindings } from '../../protocol/sasl/scram-receiving.ts';

/** The channel bindings of a connection that is secured. tls-exporter is for TLS 1.3 alone: before, it needs an extension that Node does not tell of. */
export function channelBindingsOf(secured: TLSSocket): ChannelBindings {
  const own = secured.getX509Certificate();
  const by = own === undefined ? undefined : bindingHash(own);
  return {
    // RFC 9266 §2: an empty context, 32 octets.
    ...(secured.getProtocol() === 'TLSv1.3'
      ? { 'tls-exporter': secured.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) }
      : {}),
    // RFC 5929 §4.1
    ...(own === undefined || by === undefined ? {} : { 'tls-server-end-point': hash(by, own.raw, 'buffer') }),
  };
}
