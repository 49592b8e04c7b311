import type { Catalog, KeyKind } from '../../clusterdb/types.ts';
import type { Json } from '../../protocol/link/messages.ts';
import { printPattern } from '../domain-pattern.ts';
import { quote } from '../problem.ts';
import { findKey, keyOf } from './keys.ts';
import { HIDDEN } from './kinds.ts';
import type { LiveSettings, PartnerSettings } from './settings.ts';
import { liveSettingsOf } from './snapshot.ts';

/** The live settings as clusterdb knows them: which keys there are, what their values may be, and whether they agree with each other. */
export const liveCatalog: Catalog = { kindOf, check };

function kindOf(key: string): KeyKind | { readonly refused: string } {
  const found = findKey(key);
  if ('refused' in found) return found;
  // One key, one spelling: otherwise a partner could be on a list twice.
  if (found.key !== key) return { refused: `it is written ${found.key}.` };
  const { kind, owner, standard, reference, stays } = keyOf(found.form);
  return {
    owner,
    secret: kind.secret === true,
    ...(stays === undefined ? {} : { stays }),
    read(value) {
      const parsed = kind.parse(value);
      return 'value' in parsed ? parsed : { refused: `${parsed.reason}. ${parsed.cure}` };
    },
    ...(reference === undefined || standard === undefined
      ? {}
      : {
          told: (value) => ({
            name: found.of === undefined ? reference : reference.replace(/<\w+>/, printPattern(found.of)),
            value: kind.printAsReference(value ?? standard),
          }),
        }),
  };
}

function check(values: ReadonlyMap<string, Json>): readonly string[] {
  const live = liveSettingsOf(values);
  return [
    ...faultsOf('', live),
    ...live.partners.flatMap((partner) => faultsOf(`partners.${printPattern(partner.domain)}.`, live, partner)),
  ];
}

/**
 * Whether anybody is asked for a certificate where there is no TLS to show it in: everybody, or one partner, who has the settings of
 * everybody where his own say nothing. `prefix` is that of his keys.
 */
function faultsOf(prefix: string, live: LiveSettings, partner?: PartnerSettings): readonly string[] {
  if ((partner?.tls ?? live.tls) !== 'none') return [];
  const faults: string[] = [];
  const tell = (name: string, isOwn: boolean, wants: string, instead: string): void => {
    const isTlsOwn = partner?.tls !== undefined;
    // What nobody says of this partner is said of everybody already.
    if (partner !== undefined && !isOwn && !isTlsOwn) return;
    const without = `${isTlsOwn ? prefix : ''}tls none nobody shows one`;
    const cure = `Set ${prefix}tls to required, or ${prefix}${name} to ${instead}.`;
    faults.push(`${isOwn ? prefix : ''}${name} ${wants}, and with ${without}. ${cure}`);
  };
  if ((partner?.authentication ?? live.authentication) === 'external')
    tell('authentication', partner?.authentication !== undefined, 'external takes a certificate', 'dialback');
  if (partner?.requireClientCertificates ?? live.requireClientCertificates) {
    const isOwn = partner?.requireClientCertificates !== undefined;
    tell('require_client_certificates', isOwn, 'on takes a certificate', 'off');
  }
  return faults;
}

/** A value for people, such as `on`, `required` or `192.0.2.20:5269, 192.0.2.21:5269`. Never a secret; any key and any value will do. */
export function printLiveValue(key: string, value: Json | undefined): string {
  const found = findKey(key);
  // What is not known here could be a secret elsewhere.
  if (value === undefined || 'refused' in found) return HIDDEN;
  return keyOf(found.form).kind.print(value);
}

/**
 * What `fedway config set KEY TEXT` means: the key and the value, both in normal form. `refused` names the key, and says what is wrong and
 * what to do; it repeats no secret.
 */
export function readLiveText(
  key: string,
  text: string,
): { readonly key: string; readonly value: Json } | { readonly refused: string } {
  const found = findKey(key);
  if ('refused' in found) return { refused: `${quote(key)}: ${found.refused}` };
  const parsed = keyOf(found.form).kind.parse(text);
  if ('value' in parsed) return { key: found.key, value: parsed.value };
  return { refused: `${found.key}: ${parsed.reason}. ${parsed.cure}` };
}
