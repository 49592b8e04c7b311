import { describe, expect, test } from 'vitest';
import type { Authentication, TlsMode } from '../../src/protocol/s2s/ruling.ts';
import type { Certificate } from './wire.ts';
import { type ServerPlan, World } from './world.ts';

/** What becomes of a stream that coluc.com opens to vngtp.lab: how it was authorized, or who ended it and why. */
type Outcome =
  | 'EXTERNAL'
  | 'dialback over TLS'
  | 'dialback in plain text'
  | 'refused by the initiating server'
  | 'refused by the receiving server'
  | 'dialback refused';

type CertificateState = 'good' | 'self-signed' | 'expired' | 'for another name' | 'none';

function certificate(state: CertificateState, domain: string): Certificate | undefined {
  switch (state) {
    case 'good':
      return { names: [domain] };
    case 'self-signed':
      return { names: [domain], untrusted: 'the certificate is self-signed' };
    case 'expired':
      return { names: [domain], notAfter: 0 };
    case 'for another name':
      return { names: ['somewhere.else'] };
    case 'none':
      return undefined;
  }
}

function outcomeOf(initiating: Partial<ServerPlan>, receiving: Partial<ServerPlan>): Outcome {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], ...initiating });
  world.server({ domains: ['vngtp.lab'], ...receiving });
  const { client, server } = coluc.open('vngtp.lab');
  world.clock.advance(120_000);
  const secure = client.notes.some(({ note }) => note === 'secured');
  const [ours] = client.authorized;
  const [theirs] = server?.authorized ?? [];
  // Both sides always agree.
  expect(ours?.by).toBe(theirs?.by);
  if (ours?.by === 'external') return 'EXTERNAL';
  if (ours !== undefined) return secure ? 'dialback over TLS' : 'dialback in plain text';
  expect(client.refused).toHaveLength(1);
  if (client.ended?.by === 'dialback') return 'dialback refused';
  return client.ended?.by === 'them' ? 'refused by the receiving server' : 'refused by the initiating server';
}

describe('TLS modes of both sides; good certificates, either way of authentication', () => {
  test.each<[initiating: TlsMode, receiving: TlsMode, Outcome, because: string]>([
    ['required', 'required', 'EXTERNAL', 'both want TLS, and with TLS certificates count'],
    ['required', 'optional', 'EXTERNAL', 'the receiving server offers what the initiating one wants'],
    [
      'required',
      'none',
      'refused by the initiating server',
      'STARTTLS is asked for although it is not offered, and refused',
    ],
    ['optional', 'required', 'EXTERNAL', 'what is offered is used'],
    ['optional', 'optional', 'EXTERNAL', 'what is offered is used'],
    ['optional', 'none', 'dialback in plain text', 'nothing is offered, and both can do without'],
    [
      'none',
      'required',
      'refused by the initiating server',
      'the features say that TLS is required, and here it is switched off',
    ],
    ['none', 'optional', 'dialback in plain text', 'what is offered is not used'],
    ['none', 'none', 'dialback in plain text', 'neither has TLS'],
  ])('T-36: %s towards %s: %s, because %s', (initiating, receiving, outcome) => {
    expect(
      outcomeOf(
        { tls: initiating, certificate: certificate('good', 'coluc.com') },
        { tls: receiving, certificate: certificate('good', 'vngtp.lab') },
      ),
    ).toBe(outcome);
  });
});

describe('the certificate of the initiating server, and what the receiving one accepts as proof', () => {
  test.each<[CertificateState, Authentication, Outcome, because: string]>([
    ['good', 'either', 'EXTERNAL', 'it is offered first'],
    ['good', 'external', 'EXTERNAL', 'it proves the domain'],
    ['good', 'dialback', 'dialback over TLS', 'EXTERNAL is not offered'],
    [
      'self-signed',
      'either',
      'dialback over TLS',
      'nobody vouches for the certificate, and dialback will do (RFC 7590 §3.4)',
    ],
    ['self-signed', 'external', 'refused by the receiving server', 'only a certificate will do'],
    ['self-signed', 'dialback', 'dialback over TLS', 'certificates do not matter'],
    ['expired', 'either', 'dialback over TLS', 'the certificate proves nothing any more'],
    ['expired', 'external', 'refused by the receiving server', 'the certificate proves nothing any more'],
    ['expired', 'dialback', 'dialback over TLS', 'certificates do not matter'],
    ['for another name', 'either', 'dialback over TLS', 'the certificate proves another domain'],
    ['for another name', 'external', 'refused by the receiving server', 'the certificate proves another domain'],
    ['for another name', 'dialback', 'dialback over TLS', 'certificates do not matter'],
    ['none', 'either', 'dialback over TLS', 'there is nothing else to prove the domain with'],
    ['none', 'external', 'refused by the receiving server', 'there is nothing to prove the domain with'],
    ['none', 'dialback', 'dialback over TLS', 'certificates do not matter'],
  ])('C-31, C-34, C-35: %s, %s: %s, because %s', (state, authentication, outcome) => {
    expect(
      outcomeOf(
        { tls: 'required', certificate: certificate(state, 'coluc.com') },
        { tls: 'required', authentication, certificate: certificate('good', 'vngtp.lab') },
      ),
    ).toBe(outcome);
  });
});

describe('the certificate of the receiving server, and what the initiating one insists on', () => {
  test.each<[CertificateState, Authentication, Outcome, because: string]>([
    ['good', 'external', 'EXTERNAL', 'both have proven themselves'],
    ['self-signed', 'external', 'refused by the initiating server', 'it would send to anybody who is on the way'],
    ['expired', 'external', 'refused by the initiating server', 'the certificate proves nothing any more'],
    ['for another name', 'external', 'refused by the initiating server', 'the certificate proves another domain'],
    ['none', 'external', 'refused by the initiating server', 'there is nothing that proves the domain'],
    ['self-signed', 'either', 'EXTERNAL', 'it does not insist, and its own certificate is good'],
    ['self-signed', 'dialback', 'dialback over TLS', 'it uses no certificate of its own'],
    ['none', 'either', 'EXTERNAL', 'it does not insist, and its own certificate is good'],
  ])('C-28: %s, %s: %s, because %s', (state, authentication, outcome) => {
    expect(
      outcomeOf(
        {
          tls: 'required',
          authentication,
          peerMustProve: authentication === 'external',
          certificate: certificate('good', 'coluc.com'),
        },
        { tls: 'required', certificate: certificate(state, 'vngtp.lab') },
      ),
    ).toBe(outcome);
  });
});

describe('ways of authentication of both sides; TLS required, good certificates', () => {
  test.each<[initiating: Authentication, receiving: Authentication, Outcome, because: string]>([
    ['either', 'either', 'EXTERNAL', 'the better way comes first'],
    ['either', 'dialback', 'dialback over TLS', 'EXTERNAL is not offered'],
    ['either', 'external', 'EXTERNAL', 'it is offered'],
    [
      'dialback',
      'either',
      'dialback over TLS',
      'the initiating server does not use EXTERNAL; it is not verified, since its certificate proves it (XEP-0344 §2.4)',
    ],
    ['dialback', 'dialback', 'dialback over TLS', 'both want it'],
    ['dialback', 'external', 'dialback over TLS', 'the certificate beside the key is proof enough'],
    ['external', 'either', 'EXTERNAL', 'it is offered'],
    ['external', 'dialback', 'refused by the initiating server', 'EXTERNAL is not offered, and nothing else will do'],
    ['external', 'external', 'EXTERNAL', 'both want it'],
  ])('D-70: %s towards %s: %s, because %s', (initiating, receiving, outcome) => {
    expect(
      outcomeOf(
        { tls: 'required', authentication: initiating, certificate: certificate('good', 'coluc.com') },
        { tls: 'required', authentication: receiving, certificate: certificate('good', 'vngtp.lab') },
      ),
    ).toBe(outcome);
  });

  test('dialback refused: the key is wrong, and no certificate stands in for it', () => {
    const world = new World();
    const impostor = world.server({ domains: ['coluc.com'], secret: 'not the secret of the domain' });
    world.server({ domains: ['coluc.com'] });
    world.server({ domains: ['vngtp.lab'] });
    expect(impostor.open('vngtp.lab').client.ended).toEqual({ by: 'dialback', failure: { answer: 'invalid' } });
  });
});

describe('the receiving server requires certificates; TLS required', () => {
  test.each<[CertificateState, Authentication, Outcome, because: string]>([
    ['good', 'either', 'EXTERNAL', 'it is offered first'],
    ['good', 'external', 'EXTERNAL', 'it proves the domain'],
    ['good', 'dialback', 'dialback over TLS', 'the certificate is needed beside it, and is there'],
    ['self-signed', 'either', 'refused by the receiving server', 'dialback alone will not do'],
    ['self-signed', 'external', 'refused by the receiving server', 'only a certificate will do'],
    ['self-signed', 'dialback', 'refused by the receiving server', 'dialback alone will not do'],
    ['expired', 'either', 'refused by the receiving server', 'the certificate proves nothing any more'],
    ['expired', 'dialback', 'refused by the receiving server', 'the certificate proves nothing any more'],
    ['for another name', 'either', 'refused by the receiving server', 'the certificate proves another domain'],
    ['for another name', 'dialback', 'refused by the receiving server', 'the certificate proves another domain'],
    ['none', 'either', 'refused by the receiving server', 'there is nothing to prove the domain with'],
    ['none', 'external', 'refused by the receiving server', 'there is nothing to prove the domain with'],
    ['none', 'dialback', 'refused by the receiving server', 'there is nothing to prove the domain with'],
  ])('T-37: %s, %s: %s, because %s', (state, authentication, outcome) => {
    expect(
      outcomeOf(
        { tls: 'required', certificate: certificate(state, 'coluc.com') },
        {
          tls: 'required',
          authentication,
          requireCertificate: true,
          certificate: certificate('good', 'vngtp.lab'),
        },
      ),
    ).toBe(outcome);
  });
});

describe('the initiating server requires certificates; TLS required', () => {
  test.each<[CertificateState, Authentication, Outcome, because: string]>([
    ['good', 'either', 'EXTERNAL', 'both have proven themselves'],
    ['good', 'external', 'EXTERNAL', 'both have proven themselves'],
    ['good', 'dialback', 'dialback over TLS', 'the certificate is needed beside it, and is there'],
    ['self-signed', 'either', 'refused by the initiating server', 'it would send to anybody who is on the way'],
    ['self-signed', 'dialback', 'refused by the initiating server', 'it would send to anybody who is on the way'],
    ['expired', 'either', 'refused by the initiating server', 'the certificate proves nothing any more'],
    ['for another name', 'dialback', 'refused by the initiating server', 'the certificate proves another domain'],
    ['none', 'either', 'refused by the initiating server', 'there is nothing that proves the domain'],
  ])('C-28: %s, %s: %s, because %s', (state, authentication, outcome) => {
    expect(
      outcomeOf(
        {
          tls: 'required',
          authentication,
          requireCertificate: true,
          certificate: certificate('good', 'coluc.com'),
        },
        { tls: 'required', certificate: certificate(state, 'vngtp.lab') },
      ),
    ).toBe(outcome);
  });
});

describe('one of two servers requires certificates, in every TLS mode of both; good certificates', () => {
  test.each<[initiating: TlsMode, receiving: TlsMode, ours: Outcome, theirs: Outcome, because: string]>([
    ['required', 'required', 'EXTERNAL', 'EXTERNAL', 'there is TLS'],
    ['required', 'optional', 'EXTERNAL', 'EXTERNAL', 'there is TLS'],
    [
      'required',
      'none',
      'refused by the initiating server',
      'refused by the initiating server',
      'STARTTLS is asked for although it is not offered',
    ],
    ['optional', 'required', 'EXTERNAL', 'EXTERNAL', 'there is TLS'],
    ['optional', 'optional', 'EXTERNAL', 'EXTERNAL', 'there is TLS'],
    [
      'optional',
      'none',
      'refused by the initiating server',
      'refused by the receiving server',
      'without TLS nobody can show a certificate',
    ],
    [
      'none',
      'required',
      'refused by the initiating server',
      'refused by the initiating server',
      'the features say that TLS is required, and here it is switched off',
    ],
    [
      'none',
      'optional',
      'refused by the initiating server',
      'refused by the initiating server',
      'the one insists on a certificate and the other has switched TLS off',
    ],
    [
      'none',
      'none',
      'refused by the initiating server',
      'refused by the receiving server',
      'without TLS nobody can show a certificate',
    ],
  ])(
    'T-36, T-37: %s towards %s: %s, or %s where it is the receiving one, because %s',
    (initiating, receiving, ours, theirs) => {
      for (const [which, outcome] of [
        ['initiating', ours],
        ['receiving', theirs],
      ] as const)
        expect(
          outcomeOf(
            {
              tls: initiating,
              requireCertificate: which === 'initiating',
              certificate: certificate('good', 'coluc.com'),
            },
            {
              tls: receiving,
              requireCertificate: which === 'receiving',
              certificate: certificate('good', 'vngtp.lab'),
            },
          ),
        ).toBe(outcome);
    },
  );
});
