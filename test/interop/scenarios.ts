import type { FederationSettings } from '../lab/fedway.ts';
import type { Organization, ServerSoftware } from '../lab/organization.ts';

/** How the two domains prove themselves to each other in the end. */
type Proof = 'external' | 'dialback';

/** One home behind fedway and one partner: everything users do between them is checked, in both directions. */
interface FederationScenario {
  readonly number: number;
  readonly remote: ServerSoftware;
  readonly proof: Proof;
}

/** Scenarios that share servers: one home, one way of authentication, several partners. */
export interface FederationLab {
  readonly home: Organization;
  readonly authentication: string;
  readonly settings: FederationSettings;
  /** The profile of the partners' servers. */
  readonly profile: Organization['profile'];
  readonly scenarios: readonly FederationScenario[];
}

export const REMOTE_DOMAINS: Readonly<Record<ServerSoftware, string>> = {
  prosody: 'vngtp.lab',
  ejabberd: 'ejab.lab',
  jabberd2: 'jabd.lab',
};

type Home = Pick<Organization, 'server' | 'by'>;

const PROSODY_S2S: Home = { server: 'prosody', by: 's2s' };
const EJABBERD_S2S: Home = { server: 'ejabberd', by: 's2s' };
const JABBERD2_S2S: Home = { server: 'jabberd2', by: 's2s' };
const PROSODY_COMPONENT: Home = { server: 'prosody', by: 'component' };
const EJABBERD_COMPONENT: Home = { server: 'ejabberd', by: 'component' };

type Authentication = Pick<FederationLab, 'authentication' | 'settings' | 'profile'> & {
  readonly inside: Organization['profile'];
};

/** jabberd2 does not know SASL EXTERNAL between servers: it is the exception an administrator would write down. */
const EXTERNAL: Authentication = {
  authentication: 'certificates of a trusted authority (SASL EXTERNAL)',
  settings: {
    tls: 'required',
    authentication: 'external',
    partners: { rules: [{ domain: REMOTE_DOMAINS.jabberd2, authentication: 'dialback' }] },
  },
  profile: 'ca',
  inside: 'dbtls',
};

const DIALBACK_TLS: Authentication = {
  authentication: 'dialback over TLS with self-signed certificates',
  settings: { tls: 'required', authentication: 'either', certificate: 'self-signed' },
  profile: 'dbtls',
  inside: 'dbtls',
};

const DIALBACK_PLAIN: Authentication = {
  authentication: 'dialback in plain text',
  settings: { tls: 'none', authentication: 'dialback' },
  profile: 'dbplain',
  inside: 'dbplain',
};

function lab(home: Home, how: Authentication, scenarios: readonly FederationScenario[]): FederationLab {
  const { authentication, settings, profile, inside } = how;
  const componentDomains = scenarios.flatMap(({ remote }) =>
    remote === 'jabberd2' ? [REMOTE_DOMAINS[remote]] : [REMOTE_DOMAINS[remote], `conference.${REMOTE_DOMAINS[remote]}`],
  );
  const organization: Organization = {
    ...home,
    domain: 'coluc.com',
    profile: inside,
    users: ['alice'],
    behind: 'fedway',
    ...(home.by === 'component' ? { componentDomains } : {}),
  };
  return { home: organization, authentication, settings, profile, scenarios };
}

/**
 * Every home with every way of authentication and every partner (11 to 39), and a few more homes (41 to 43).
 * Tens: the home and the authentication; units: the partner.
 */
export const FEDERATION: readonly FederationLab[] = [
  lab(PROSODY_S2S, EXTERNAL, [
    { number: 11, remote: 'prosody', proof: 'external' },
    { number: 12, remote: 'ejabberd', proof: 'external' },
    { number: 13, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(PROSODY_S2S, DIALBACK_TLS, [
    { number: 14, remote: 'prosody', proof: 'dialback' },
    { number: 15, remote: 'ejabberd', proof: 'dialback' },
    { number: 16, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(PROSODY_S2S, DIALBACK_PLAIN, [
    { number: 17, remote: 'prosody', proof: 'dialback' },
    { number: 18, remote: 'ejabberd', proof: 'dialback' },
    { number: 19, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(EJABBERD_S2S, EXTERNAL, [
    { number: 21, remote: 'prosody', proof: 'external' },
    { number: 22, remote: 'ejabberd', proof: 'external' },
    { number: 23, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(EJABBERD_S2S, DIALBACK_TLS, [
    { number: 24, remote: 'prosody', proof: 'dialback' },
    { number: 25, remote: 'ejabberd', proof: 'dialback' },
    { number: 26, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(EJABBERD_S2S, DIALBACK_PLAIN, [
    { number: 27, remote: 'prosody', proof: 'dialback' },
    { number: 28, remote: 'ejabberd', proof: 'dialback' },
    { number: 29, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(PROSODY_COMPONENT, EXTERNAL, [
    { number: 31, remote: 'prosody', proof: 'external' },
    { number: 32, remote: 'ejabberd', proof: 'external' },
    { number: 33, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(PROSODY_COMPONENT, DIALBACK_TLS, [
    { number: 34, remote: 'prosody', proof: 'dialback' },
    { number: 35, remote: 'ejabberd', proof: 'dialback' },
    { number: 36, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(PROSODY_COMPONENT, DIALBACK_PLAIN, [
    { number: 37, remote: 'prosody', proof: 'dialback' },
    { number: 38, remote: 'ejabberd', proof: 'dialback' },
    { number: 39, remote: 'jabberd2', proof: 'dialback' },
  ]),
  lab(JABBERD2_S2S, DIALBACK_TLS, [
    { number: 41, remote: 'prosody', proof: 'dialback' },
    { number: 42, remote: 'ejabberd', proof: 'dialback' },
  ]),
  lab(EJABBERD_COMPONENT, EXTERNAL, [{ number: 43, remote: 'prosody', proof: 'external' }]),
];
