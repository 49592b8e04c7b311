import type { Domain } from '../../protocol/jid/domain.ts';
import { type Endpoint, type HostForm, type Network, parseAddress, parseEndpoint, parseNetwork } from '../address.ts';
import type { DomainPattern } from '../boot.ts';
import { expectsOf, type Options, parseChoice } from '../choice.ts';
import { readDomain, readPattern } from '../domain-pattern.ts';
import { type Parsed, parseDuration, parseSize } from '../measure.ts';
import { quote } from '../problem.ts';
import { parseRouteTarget, type RouteTarget } from '../route.ts';
import type { JsonSchema, Kind } from './kind.ts';

type Written = string | number | boolean;

/** A kind that is one scalar. `expects` completes "expected ...". */
function scalar<T>(words: string, expects: string, json: JsonSchema, parse: (written: Written) => Parsed<T>): Kind<T> {
  return {
    words,
    json,
    inside: { form: 'nothing' },
    read(node, place) {
      if (node.kind !== 'scalar') {
        const found = node.kind === 'list' ? 'a list' : 'a group of keys';
        return place.refuse(`is ${found}, expected ${expects}`, bracketCure(words));
      }
      if (node.value === null) return place.refuse('has no value', `Write ${expects}.`);
      const parsed = parse(node.value);
      return 'value' in parsed ? parsed.value : place.refuse(parsed.reason, parsed.cure);
    },
  };
}

/** In YAML `[::1]:5269` begins a list and `a: b` a group of keys: the usual way to get here by accident. */
function bracketCure(words: string): string {
  return words.includes('address')
    ? 'Put the value in quotes: an IPv6 address must be written "[2001:db8::1]:5269".'
    : 'Write one value, in quotes when it holds brackets, braces or ": ".';
}

/** A scalar that must be a text; numbers and booleans are what YAML made of an unquoted one. */
function text<T>(words: string, expects: string, json: JsonSchema, parse: (written: string) => Parsed<T>): Kind<T> {
  return scalar(words, expects, { type: 'string', ...json }, (written) => {
    if (typeof written === 'string') return parse(written);
    const kind = typeof written === 'number' ? 'a number' : 'true or false';
    return {
      reason: `${quote(written)} is ${kind}, expected ${expects}`,
      cure: 'Put it in quotes if it is meant as text.',
    };
  });
}

/** A text of which `pattern` is the form and `expects` says it in words. It is not repeated in messages: see below. */
export function word(words: string, expects: string, pattern: RegExp): Kind<string> {
  // Words stand beside secrets, and what does not have the form of a name may well be the secret itself.
  return text(words, expects, { pattern: pattern.source }, (written) =>
    pattern.test(written) ? { value: written } : { reason: `is not ${expects}`, cure: `Write ${expects}.` },
  );
}

/** One of a few words. */
export function choice<const W extends string>(options: Options<W>): Kind<W> {
  const names = Object.keys(options);
  return scalar(names.join(', '), expectsOf(options), { enum: names }, (written) => parseChoice(options, written));
}

/** `true` or `false`. */
export const flag: Kind<boolean> = scalar('true or false', 'true or false', { type: 'boolean' }, (written) =>
  typeof written === 'boolean'
    ? { value: written }
    : { reason: `${quote(written)} is neither true nor false`, cure: 'Write true or false, without quotes.' },
);

/** A whole number within bounds, both included. */
export function count(least: number, most: number): Kind<number> {
  const expects = `a whole number from ${least} to ${most}`;
  return scalar('number', expects, { type: 'integer', minimum: least, maximum: most }, (written) =>
    typeof written === 'number' && Number.isInteger(written) && written >= least && written <= most
      ? { value: written }
      : { reason: `${quote(written)} is not ${expects}`, cure: countCure(written, least, most) },
  );
}

function countCure(written: Written, least: number, most: number): string {
  if (typeof written !== 'number') return 'Write digits, without quotes.';
  if (written < least) return `Write ${least} or more.`;
  return written > most ? `Write ${most} or less.` : 'Write it without a fraction.';
}

export const port: Kind<number> = { ...count(1, 65_535), words: 'port' };

interface DurationBounds {
  /** What 0 means; without, 0 is refused. */
  readonly zero?: string;
  /** Only whole seconds make sense. */
  readonly wholeSeconds?: true;
}

const DURATION_PATTERN = '^[0-9]+ ?(ms|s|m|h|d)$';

/** `"30s"`, `"10m"`, `"1h"`, in milliseconds. */
export function duration({ zero, wholeSeconds }: DurationBounds = {}): Kind<number> {
  const json =
    zero === undefined
      ? { type: 'string', pattern: DURATION_PATTERN }
      : { anyOf: [{ type: 'string', pattern: DURATION_PATTERN }, { const: 0 }] };
  return scalar('duration', 'a duration such as "30s"', json, (written) => {
    const parsed = parseDuration(written);
    if (!('value' in parsed)) return parsed;
    if (parsed.value === 0 && zero === undefined) {
      return {
        reason: `${quote(written)} leaves no time at all`,
        cure: 'Write a duration above zero; there is no "never" here.',
      };
    }
    if (wholeSeconds === true && parsed.value % 1000 !== 0) {
      return { reason: `${quote(written)} is not in whole seconds`, cure: 'Write whole seconds, such as "60s".' };
    }
    return parsed;
  });
}

/** Bytes, or a text such as `"256KiB"`; in bytes. `because` tells why there is a least size. */
export function size(least: number, most: number, because?: string): Kind<number> {
  const json = {
    anyOf: [
      { type: 'integer', minimum: least, maximum: most },
      { type: 'string', pattern: '^[0-9]+ ?(B|KiB|MiB|GiB)?$' },
    ],
  };
  return scalar('size', 'a size such as "256KiB"', json, (written) => {
    const parsed = parseSize(written);
    if (!('value' in parsed)) return parsed;
    if (parsed.value < least) {
      const why = because === undefined ? '' : `: ${because}`;
      return { reason: `${quote(written)} is under ${least} bytes${why}`, cure: `Write ${least} or more.` };
    }
    if (parsed.value > most)
      return { reason: `${quote(written)} is over ${most} bytes`, cure: `Write ${most} or less.` };
    return parsed;
  });
}

/** `host:port`; `usualPort` is proposed when the port is missing. */
export function endpoint(hosts: HostForm, usualPort: number): Kind<Endpoint> {
  const example = hosts === 'address' ? `"192.0.2.1:${usualPort}"` : `"10.0.0.10:${usualPort}"`;
  const words = hosts === 'address' ? 'IP address:port' : 'address:port';
  return text(words, `${words}, such as ${example}`, {}, (written) => parseEndpoint(written, hosts, usualPort));
}

/** `host:port`, or `tls://host:port` for direct TLS. */
export const routeTarget: Kind<RouteTarget> = text(
  'address:port or tls://address:port',
  'address:port, such as "192.0.2.20:5269", or "tls://192.0.2.20:5270" for direct TLS',
  {},
  parseRouteTarget,
);

/** An IP address without a port. */
export const address: Kind<string> = text('IP address', 'an IP address such as "192.0.2.1"', {}, parseAddress);

/** A network in CIDR form. */
export const network: Kind<Network> = text('network', 'a network such as "10.0.0.0/8"', {}, parseNetwork);

/** A domain, prepared. */
export const domain: Kind<Domain> = text('domain', 'a domain such as example.org', {}, readDomain);

/** `vngtp.lab`, or `*.lab` for every name below lab. */
export const domainPattern: Kind<DomainPattern> = text(
  'domain or *.domain',
  'a domain such as example.org or "*.example.org"',
  {},
  (written) => readPattern(written, 'Set partners.default for everybody without a rule.'),
);
