import type { Jid } from './jid.ts';

/** An address as text (RFC 7622 §3.1). */
export function printJid({ local, domain, resource }: Jid): string {
  const bare = local === undefined ? domain : `${local}@${domain}`;
  return resource === undefined ? bare : `${bare}/${resource}`;
}

/** The address without its resource (RFC 6120 §1.4: the bare JID). */
export function bareOf({ local, domain }: Jid): Jid {
  return { local, domain, resource: undefined };
}
