import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import { parseAddress } from './address.ts';
import type { DomainPattern } from './boot.ts';
import type { Parsed } from './measure.ts';
import { quote } from './problem.ts';

/** A domain in prepared form, or what to write instead. */
export function readDomain(written: string): Parsed<Domain> {
  const value = parseDomain(written);
  if (value !== undefined) return { value };
  const reason = `${quote(written)} is not a domain`;
  if (written.includes('@') || written.includes('/')) {
    const bare = written.replace(/^[^@]*@/, '').replace(/\/.*$/, '');
    return { reason, cure: `Write the domain alone${parseDomain(bare) === undefined ? '' : `: ${bare}`}.` };
  }
  if (written.startsWith('*')) return { reason, cure: 'Write each domain out: "*" has a meaning for partners only.' };
  if ('value' in parseAddress(written)) return { reason, cure: 'Write the name; an IP address cannot federate.' };
  return {
    reason,
    cure: 'Write a name such as example.org: labels of letters, digits and hyphens, with dots between.',
  };
}

/** `vngtp.lab`, or `*.lab` for every name below lab. `everybody` is the cure for a `*` alone. */
export function readPattern(written: string, everybody: string): Parsed<DomainPattern> {
  if (written === '*') return { reason: '"*" is not a pattern of its own', cure: everybody };
  const below = written.startsWith('*.');
  const parsed = readDomain(below ? written.slice(2) : written);
  if ('value' in parsed) {
    return { value: Object.freeze({ match: below ? 'below' : 'exact', domain: parsed.value } as const) };
  }
  const cure = written.includes('*') ? 'A "*" stands alone as the first label: "*.example.org".' : parsed.cure;
  return { reason: `${quote(written)} is not a domain`, cure };
}

/** As it is written: reading it again gives the same pattern. */
export function printPattern({ match, domain }: DomainPattern): string {
  return match === 'below' ? `*.${domain}` : domain;
}
