import type { PartnerRule } from '../boot.ts';
import type { BootFile } from '../boot-schema.ts';
import { printPattern } from '../domain-pattern.ts';
import { quote } from '../problem.ts';
import { printRouteTarget } from '../route.ts';
import type { Reading } from '../schema/place.ts';
import { type Draft, present } from './draft.ts';
import { ownDomains } from './homes.ts';
import { isSame, listenersOf } from './listeners.ts';

/** The rules: whether each can apply, and means something. */
export function checkPartners(boot: Draft<BootFile>, reading: Reading): void {
  const own = ownDomains(boot);
  const rules = present('partners.rules', boot.partners?.rules);
  const first = new Map<string, string>();
  for (const { key, value: rule } of rules) {
    if (rule.domain !== undefined) {
      const name = printPattern(rule.domain);
      const earlier = first.get(name);
      if (earlier === undefined) first.set(name, key);
      else refuseDuplicate(`${key}.domain`, name, earlier, reading);
      const home = rule.domain.match === 'exact' ? own.get(rule.domain.domain) : undefined;
      if (home !== undefined) {
        reading.error(
          `${key}.domain`,
          `${quote(name)} is our own (${home}), not a partner`,
          'Remove the rule: how home domains are served stands under homes.',
        );
      }
    }
    checkAuthentication(key, rule, boot, reading);
    checkRoute(key, rule, boot, reading);
    checkEffect(key, rule, boot, reading);
  }
  const nobody =
    rules.length === boot.partners?.rules?.length && rules.every(({ value }) => value.federation !== 'allow');
  if (boot.partners?.default === 'deny' && nobody) {
    reading.warn(
      'partners.default',
      'nobody may federate: no rule has federation: allow',
      'Add rules for the partners that may.',
    );
  }
}

function refuseDuplicate(key: string, name: string, earlier: string, reading: Reading): void {
  const { line } = reading.positionOf(`${earlier}.domain`);
  reading.error(
    key,
    `${quote(name)} has a rule already, ${earlier} (line ${line})`,
    'Join the two: one rule per domain.',
  );
}

function checkAuthentication(key: string, rule: Draft<PartnerRule>, { s2s }: Draft<BootFile>, reading: Reading): void {
  if (rule.tls === undefined && rule.authentication === undefined) return;
  if ((rule.authentication ?? s2s?.authentication) !== 'external' || (rule.tls ?? s2s?.tls) !== 'none') return;
  const at = rule.authentication === undefined ? 'tls' : 'authentication';
  const inherited = rule.authentication === undefined ? 's2s.authentication: external' : 'external';
  const from = rule.tls === undefined ? 's2s.tls: none' : 'tls: none';
  reading.error(
    `${key}.${at}`,
    `${inherited} takes a certificate, and with ${from} nobody shows one`,
    'Write "tls: required", or "authentication: dialback".',
  );
}

function checkRoute(key: string, rule: Draft<PartnerRule>, boot: Draft<BootFile>, reading: Reading): void {
  for (const route of present(`${key}.route`, rule.route)) {
    if (route.value.directTls && (rule.tls ?? boot.s2s?.tls) === 'none') {
      const from = rule.tls === undefined ? 's2s.tls: none' : 'tls: none';
      reading.error(
        route.key,
        `${quote(printRouteTarget(route.value))} is a server of direct TLS, and with ${from} there is no TLS`,
        'Write "tls: required", or a server that takes plain text.',
      );
    }
    const own = listenersOf(boot).find(({ value }) => isSame(value, route.value));
    if (own === undefined) continue;
    reading.error(
      route.key,
      `${quote(printRouteTarget(route.value))} is fedway itself (${own.key})`,
      'Write the address of the partner.',
    );
  }
}

function checkEffect(key: string, rule: Draft<PartnerRule>, boot: Draft<BootFile>, reading: Reading): void {
  const written = (['tls', 'authentication', 'route'] as const).filter((name) => reading.isWritten(`${key}.${name}`));
  if (reading.isWritten(`${key}.federation`)) {
    if (rule.federation === 'deny' && written.length > 0) {
      reading.warn(
        `${key}.${written[0]}`,
        'has no effect on a partner that is denied',
        'Remove it, or write "federation: allow".',
      );
    }
    return;
  }
  if (written.length === 0 && rule.domain !== undefined) {
    reading.warn(key, 'the rule says nothing', 'Write what is different: federation, tls, authentication or route.');
  } else if (boot.partners?.default === 'deny') {
    reading.warn(
      key,
      'the rule has no effect: partners.default is deny, and the rule does not say otherwise',
      'Write "federation: allow" if this partner may federate.',
    );
  }
}
