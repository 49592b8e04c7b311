import { isBelow } from '../../protocol/jid/domain.ts';
import type { Json } from '../../protocol/link/messages.ts';
import type { BootConfig, DomainPattern, PartnerRule } from '../boot.ts';
import { printPattern } from '../domain-pattern.ts';
import { printRouteTarget } from '../route.ts';
import type { LiveSettings } from './settings.ts';
import { liveSettingsOf } from './snapshot.ts';

type Values = readonly (readonly [key: string, value: Json])[];

/** The settings of a single box without `data`: what its boot file says. */
export function liveSettingsOfBootFile(boot: BootConfig): LiveSettings {
  // The secret as it is: a short one was warned of when the file was read, and is good enough to go on.
  return Object.freeze({ ...liveSettingsOf(valuesOf(boot)), dialbackSecret: boot.s2s.dialbackSecret });
}

/**
 * The live settings that say the same as a boot file without `data`, for a box that gets a data folder: what clusterdb is to be given, the
 * dialback secret as it is. `refused`, a sentence, for a boot file that never said anything of this.
 */
export function importOfBootFile(boot: BootConfig): { readonly values: Values } | { readonly refused: string } {
  const { dialbackSecret } = boot.s2s;
  if (boot.role !== 'single' || boot.data !== undefined || dialbackSecret === undefined) {
    return {
      refused: `${boot.path} has nothing to take over: its box has a data folder, where its live settings are. Name the boot file of a single box from before it had one.`,
    };
  }
  return { values: [...valuesOf(boot), ['dialback_secret', dialbackSecret.reveal()]] };
}

/**
 * A rule of a boot file wins as a whole: what it does not say is as for everybody, whatever a rule for a wider pattern says. Each live
 * key has its own patterns, so where a wider rule exists, the narrower one's silence is written out.
 */
function valuesOf({ s2s, partners }: BootConfig): Values {
  const { rules } = partners;
  const values: (readonly [string, Json])[] = [
    ['federation', true],
    ['tls', s2s.tls],
    ['require_client_certificates', false],
    ['authentication', s2s.authentication],
    ['privacy', partners.default === 'allow' ? 'deny_list' : 'allow_list'],
    ['static_routes', rules.some(({ route }) => route.length > 0)],
  ];
  for (const rule of rules) {
    const pattern = printPattern(rule.domain);
    const wider = rules.filter((other) => covers(other.domain, rule.domain));
    // On an allow list a route counts as an entry, which a rule without "federation: allow" is not.
    const isEntry = rule.federation !== undefined || wider.length > 0 || partners.default === 'deny';
    if (isEntry) values.push([`${rule.federation ?? partners.default}.${pattern}`, '']);
    if (rule.route.length > 0 || wider.some(({ route }) => route.length > 0))
      values.push([`routes.${pattern}`, rule.route.map(printRouteTarget)]);
    const terms = termsOf(rule, wider);
    if (terms.tls) values.push([`partners.${pattern}.tls`, rule.tls ?? s2s.tls]);
    if (terms.authentication)
      values.push([`partners.${pattern}.authentication`, rule.authentication ?? s2s.authentication]);
  }
  return values;
}

/** Which terms of a rule must be written out: its own, and those that a wider rule has. */
function termsOf(rule: PartnerRule, wider: readonly PartnerRule[]): { tls: boolean; authentication: boolean } {
  return {
    tls: [rule, ...wider].some(({ tls }) => tls !== undefined),
    authentication: [rule, ...wider].some(({ authentication }) => authentication !== undefined),
  };
}

/** Whether every domain of `narrow` is one of `wide`, and the two are not the same. */
function covers(wide: DomainPattern, narrow: DomainPattern): boolean {
  return wide.match === 'below' && isBelow(narrow.domain, wide.domain);
}
