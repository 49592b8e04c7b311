import { type Endpoint, parseEndpoint, printEndpoint } from './address.ts';
import type { Parsed } from './measure.ts';
import { quote } from './problem.ts';

/** Where a static route leads. `directTls`: TLS comes first there, without STARTTLS (XEP-0368). */
export interface RouteTarget extends Endpoint {
  readonly directTls: boolean;
}

const DIRECT_TLS = 'tls://';
/** The usual ports of servers: registered for STARTTLS, customary for direct TLS. */
const PORTS = { startTls: 5269, directTls: 5270 } as const;

/** `host:port` for a server that takes STARTTLS, `tls://host:port` for one of direct TLS. */
export function parseRouteTarget(written: string): Parsed<RouteTarget> {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(written)?.[0].toLowerCase();
  if (scheme !== undefined && scheme !== DIRECT_TLS) {
    return {
      reason: `${quote(written)} begins with ${quote(scheme)}`,
      cure: `Write "host:port", or "${DIRECT_TLS}host:port" for a server that takes TLS without STARTTLS.`,
    };
  }
  const directTls = scheme !== undefined;
  const endpoint = directTls ? written.slice(DIRECT_TLS.length) : written;
  const parsed = parseEndpoint(endpoint, 'name or address', directTls ? PORTS.directTls : PORTS.startTls);
  if ('value' in parsed) return { value: Object.freeze({ ...parsed.value, directTls }) };
  return directTls ? { ...parsed, cure: `${parsed.cure} "${DIRECT_TLS}" stays in front of it.` } : parsed;
}

/** As it is written. */
export function printRouteTarget({ directTls, ...endpoint }: RouteTarget): string {
  return `${directTls ? DIRECT_TLS : ''}${printEndpoint(endpoint)}`;
}
