import type { KeyOwner } from '../../clusterdb/types.ts';
import type { Json } from '../../protocol/link/messages.ts';
import type { DomainPattern } from '../boot.ts';
import { AUTHENTICATIONS, TLS_MODES } from '../choice.ts';
import { printPattern, readPattern } from '../domain-pattern.ts';
import { nearest } from '../nearest.ts';
import { quote } from '../problem.ts';
import {
  hostName,
  type LiveKind,
  note,
  oneOf,
  onOff,
  password,
  secretText,
  server,
  targets,
  userName,
} from './kinds.ts';

/** A live key, or all keys of one form: `partners.<pattern>.tls` has one for every pattern. */
export interface LiveKey {
  readonly kind: LiveKind;
  readonly owner: KeyOwner;
  /** What holds while the key is not set; `undefined`: nothing does. */
  readonly standard: Json | undefined;
  /** One sentence or two for the reference. */
  readonly meaning: string;
  /**
   * What the reference system calls it: in its log where that is known (`is_federation_enabled`), else as on its pages. Without: it has
   * nothing like it, or it has a table.
   */
  readonly reference?: string;
  /** It is shown on its own box and never sent to another, which learns only that it is set: an Edge holds no address of the inside. */
  readonly stays?: true;
}

const AXL = 8443;

const AXL_TLS = {
  verify: 'to verify the certificate of the server',
  none: 'to believe whoever answers',
} as const;

const AXL_VERSIONS = {
  auto: 'to find out which one the server has',
  '15.0': 'for release 15',
  '14.0': 'for release 14',
  '12.5': 'for release 12.5',
  '11.5': 'for release 11.5',
} as const;

const PRIVACY_MODES = {
  off: 'to admit everybody',
  allow_list: 'to admit those on the allow list only',
  deny_list: 'to admit all but those on the deny list',
} as const;

export const tlsMode = oneOf(TLS_MODES, { required: 'TLS required', optional: 'TLS optional', none: 'No TLS' });
export const authenticationWay = oneOf(AUTHENTICATIONS);
export const privacyMode = oneOf(PRIVACY_MODES, { off: 'Off', allow_list: 'Allow list', deny_list: 'Deny list' });

export const publisherAddress = server(AXL);
export const publisherTls = oneOf(AXL_TLS);
export const publisherVersion = oneOf(AXL_VERSIONS);

/** Every form of key that there is. */
export const LIVE_KEYS = {
  federation: {
    kind: onOff,
    owner: 'edge',
    standard: false,
    meaning:
      'XMPP federation support: the main switch. Off: no partner is heard, and stanzas for partners are returned.',
    reference: 'is_federation_enabled',
  },
  tls: {
    kind: tlsMode,
    owner: 'edge',
    standard: 'required',
    meaning: 'Security mode: TLS on connections with partners.',
    reference: 'security_mode',
  },
  require_client_certificates: {
    kind: onOff,
    owner: 'edge',
    standard: false,
    meaning:
      'Require client-side security certificates: a partner must show a certificate that proves its domain, whichever way it authenticates.',
    reference: 'require_client_certificates',
  },
  authentication: {
    kind: authenticationWay,
    owner: 'edge',
    standard: 'either',
    meaning: 'How a partner proves its domain: by certificate (SASL EXTERNAL), by Server Dialback, or either way.',
  },
  privacy: {
    kind: privacyMode,
    owner: 'edge',
    standard: 'allow_list',
    meaning:
      'Privacy mode: who may federate. Entries of both lists count in both modes, the most specific one decides, and of two for the same domain that of the deny list; the mode says what holds for domains without an entry.',
    reference: 'privacy_mode',
  },
  static_routes: {
    kind: onOff,
    owner: 'edge',
    standard: false,
    meaning: 'Use of static routes. On: a partner with an entry under `routes` also counts as on the allow list.',
    reference: 'use_static_routes',
  },
  dialback_secret: {
    kind: secretText,
    owner: 'edge',
    standard: undefined,
    meaning:
      'The secret that dialback keys are made of (XEP-0185), at least 16 characters; the same on every Edge that answers for these domains. Made at the first start.',
  },
  'allow.<pattern>': {
    kind: note,
    owner: 'edge',
    standard: undefined,
    meaning:
      'An entry of the federation allow list: a partner, or all below a domain. The value is a remark, and may be empty.',
  },
  'deny.<pattern>': {
    kind: note,
    owner: 'edge',
    standard: undefined,
    meaning: 'An entry of the federation deny list. The value is a remark, and may be empty.',
  },
  'routes.<pattern>': {
    kind: targets,
    owner: 'edge',
    standard: undefined,
    meaning:
      'A federated static route: addresses of the partner, tried in order, instead of DNS; `tls://` before one says that it takes direct TLS (XEP-0368). The most specific pattern decides; `dns` says that it has no route although a wider pattern does.',
  },
  'partners.<pattern>.tls': {
    kind: tlsMode,
    owner: 'edge',
    standard: undefined,
    meaning:
      'TLS on connections with this partner. Of the `partners` keys those of the most specific pattern count, all together: what it does not say is as for everybody.',
  },
  'partners.<pattern>.require_client_certificates': {
    kind: onOff,
    owner: 'edge',
    standard: undefined,
    meaning: 'Whether this partner must show a certificate that proves its domain.',
  },
  'partners.<pattern>.authentication': {
    kind: authenticationWay,
    owner: 'edge',
    standard: undefined,
    meaning: 'How this partner proves its domain.',
  },
  'homes.<domain>.federation': {
    kind: onOff,
    owner: 'core',
    standard: true,
    meaning: 'Whether one of our own domains federates.',
    reference: 'domain <domain> xmpp_federation',
  },
  host_name: {
    kind: hostName,
    owner: 'edge',
    standard: undefined,
    meaning:
      'The fully qualified name of the Edge. IM&P servers know the Edge by what is made of it: edge-1.example.org is `cm-2_s2scp-1.edge-1-example-org`. Without: the `name` of the boot file.',
  },
  'publishers.<name>.address': {
    kind: publisherAddress,
    owner: 'core',
    stays: true,
    standard: undefined,
    meaning:
      'The database publisher of an IM&P cluster, which is told of the Edges over AXL. The name is yours to choose. Without a port: 8443.',
  },
  'publishers.<name>.user': {
    kind: userName,
    owner: 'core',
    stays: true,
    standard: undefined,
    meaning: 'Who logs in there: an application user with the role Standard AXL API Access.',
  },
  'publishers.<name>.password': {
    kind: password,
    owner: 'core',
    standard: undefined,
    meaning: 'The password of that user.',
  },
  'publishers.<name>.tls': {
    kind: publisherTls,
    owner: 'core',
    standard: 'verify',
    meaning:
      'Whether the certificate of the publisher is verified: it must name the address, and be signed by an authority of the system or of `publishers.authorities` in the boot file.',
  },
  'publishers.<name>.version': {
    kind: publisherVersion,
    owner: 'core',
    standard: 'auto',
    meaning: 'The version of the AXL schema that the publisher speaks.',
  },
} as const satisfies Readonly<Record<string, LiveKey>>;

export type LiveForm = keyof typeof LIVE_KEYS;
export const LIVE_FORMS = Object.keys(LIVE_KEYS) as readonly LiveForm[];

/** What is known of a form of key. */
export function keyOf(form: LiveForm): LiveKey {
  return LIVE_KEYS[form];
}

/** The forms with a domain in them, by what stands before and after it. */
const FAMILIES = LIVE_FORMS.flatMap((form) => {
  const [before = '', after] = form.split(/<\w+>/);
  return after === undefined ? [] : [{ form, before, after }];
});
const PLAIN = LIVE_FORMS.filter((form) => FAMILIES.every((family) => family.form !== form));
const FIRST_SEGMENTS = [...new Set(FAMILIES.map(({ before }) => before.slice(0, -1)))];

/** A key taken apart. `of` is what stands in the place of `<pattern>` or `<domain>`, `name` what stands in that of `<name>`. */
interface FoundKey {
  readonly form: LiveForm;
  readonly of: DomainPattern | undefined;
  readonly name: string | undefined;
  /** The key in its one normal form, with the domain prepared. */
  readonly key: string;
}

/**
 * What a live key is, and of whom; its domain may be written in any form. `refused` is a sentence about the key that does not repeat
 * it, and the nearest key that there is.
 */
export function findKey(written: string): FoundKey | { readonly refused: string } {
  const plain = PLAIN.find((form) => form === written);
  if (plain !== undefined) return { form: plain, of: undefined, name: undefined, key: plain };
  for (const { form, before, after } of FAMILIES) {
    const middle = middleOf(written, before, after);
    if (middle === undefined) continue;
    if (form.includes('<name>')) {
      const name = middle.toLowerCase();
      if (!PUBLISHER_NAME.test(name)) return { refused: `${quote(middle)} is not a name. ${NAME_CURE}` };
      return { form, of: undefined, name, key: `${before}${name}${after}` };
    }
    const parsed = readPattern(middle, 'Everybody is meant by: privacy, tls and authentication.');
    if (!('value' in parsed)) return { refused: `${parsed.reason}. ${parsed.cure}` };
    const of = parsed.value;
    if (form.includes('<domain>') && of.match === 'below')
      return { refused: `${quote(middle)} is not one domain. Write the key of each home.` };
    return { form, of, name: undefined, key: `${before}${printPattern(of)}${after}` };
  }
  const meant = meantKey(written);
  return {
    refused: `there is no such key. ${meant === undefined ? `The keys are ${LIVE_FORMS.join(', ')}.` : `Did you mean ${meant}?`}`,
  };
}

/** A host name fits, and so does any short word. */
const PUBLISHER_NAME = /^(?=.{1,63}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;
const NAME_CURE = 'Names of publishers are letters, digits, hyphens and dots, at most 63.';

/** What stands between the two parts of a form; `undefined`: the key has another form. */
function middleOf(written: string, before: string, after: string): string | undefined {
  if (written.length <= before.length + after.length) return undefined;
  return written.startsWith(before) && written.endsWith(after)
    ? written.slice(before.length, written.length - after.length)
    : undefined;
}

/** The key that was probably meant by one that does not exist. */
function meantKey(written: string): string | undefined {
  const segments = written.split('.');
  const [first = '', ...rest] = segments;
  const last = segments.at(-1) ?? '';
  const segment = nearest(first, FIRST_SEGMENTS);
  const family = FAMILIES.filter(({ before }) => before === `${segment}.`);
  const [usual] = family;
  if (usual !== undefined) {
    if (rest.length === 0) return usual.form;
    const ends = family.map(({ after }) => after.slice(1));
    const end = nearest(last, ends);
    const candidates = [
      ...(end === undefined ? [] : [[segment, ...rest.slice(0, -1), end]]),
      [segment, ...rest, ...ends.slice(0, 1).filter((each) => each !== '')],
    ];
    for (const candidate of candidates) {
      const found = normalKey(candidate.join('.'));
      if (found !== undefined) return found;
    }
  }
  const byReference = LIVE_FORMS.find((form) => keyOf(form).reference === written);
  // "s2s.tls" is what the key is called in the boot file.
  return byReference ?? nearest(last, PLAIN) ?? nearest(written, PLAIN);
}

/** The normal form of a key of a family; `undefined` for what is none. */
function normalKey(candidate: string): string | undefined {
  for (const { form, before, after } of FAMILIES) {
    const middle = middleOf(candidate, before, after);
    if (form.includes('<name>') && middle !== undefined && PUBLISHER_NAME.test(middle)) return candidate;
    const parsed = middle === undefined ? undefined : readPattern(middle, '');
    if (parsed !== undefined && 'value' in parsed && !form.includes('<name>'))
      return `${before}${printPattern(parsed.value)}${after}`;
  }
  return undefined;
}
