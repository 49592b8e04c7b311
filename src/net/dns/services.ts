import type { DnsResult, SrvRecord } from './records.ts';

/** The services a server is found by: with STARTTLS (RFC 6120 §3.2.1), and with TLS from the first byte (XEP-0368 §3). */
export const SERVICES = { startTls: '_xmpp-server._tcp', directTls: '_xmpps-server._tcp' } as const;

/** A record of either service; which of them it is of says how its target is spoken to (checklist N-16). */
export interface ServiceRecord extends SrvRecord {
  readonly directTls: boolean;
}

/** What the SRV records of a domain say. */
export type Services =
  /** `unknown`: why nobody could tell the records of the other service. */
  | {
      readonly records: readonly ServiceRecord[];
      readonly unknown?: { readonly service: string; readonly why: string };
    }
  /** No SRV record exists: its own addresses may serve the domain (RFC 6120 §3.2.2). */
  | 'nothing'
  /** DNS declares that there is no server. */
  | 'declined'
  | { readonly failed: string };

/**
 * The two answers as one (XEP-0368 §3; checklist N-15, N-17, N-18). Records of either service stand for themselves: a service that is
 * missing, declined (target `.`) or unknown takes nothing from the other, and there is no way back to the addresses of the domain. Not
 * knowing is not the same as knowing that there is nothing (RFC 7673 §3.4).
 */
export function servicesOf(startTls: DnsResult<SrvRecord>, directTls: DnsResult<SrvRecord>): Services {
  const records = [...recordsOf(startTls, false), ...recordsOf(directTls, true)];
  const unknown =
    'failed' in startTls
      ? { service: SERVICES.startTls, why: startTls.failed }
      : 'failed' in directTls
        ? { service: SERVICES.directTls, why: directTls.failed }
        : undefined;
  if (records.length > 0) return unknown === undefined ? { records } : { records, unknown };
  if (unknown !== undefined) return { failed: unknown.why };
  return 'none' in startTls && 'none' in directTls ? 'nothing' : 'declined';
}

function recordsOf(result: DnsResult<SrvRecord>, directTls: boolean): readonly ServiceRecord[] {
  if (!('records' in result) || isDeclined(result.records)) return [];
  return result.records.map((record) => ({ ...record, directTls }));
}

/** RFC 2782: a sole record with the target `.` says that the service is decidedly not available. */
function isDeclined(records: readonly SrvRecord[]): boolean {
  return records.length === 1 && records[0]?.target === '';
}
