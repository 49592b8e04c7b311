import type { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import type { PeerCertificate } from '../protocol/identity/facts.ts';
import { presents } from '../protocol/identity/presents.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import { type HomeTrust, InsideTrust } from './inside-trust.ts';

const NOW = 1_000;
const one = 'one.example' as Domain;
const other = 'other.example' as Domain;
const idn = parseDomain('bücher.example') as Domain;

/** Judges every chain as one certificate with these names. */
function judging(untrusted: string | undefined, ...names: string[]): HomeTrust['trust'] {
  const certificate: PeerCertificate = {
    names: names.map((value) => ({ kind: 'dns', value })),
    untrusted,
    subject: '',
    issuer: '',
    fingerprint: '',
    notBefore: 0,
    notAfter: 2 * NOW,
  };
  return { judge: () => certificate };
}

function proves(trust: InsideTrust, domain: Domain): boolean {
  const certificate = trust.judge([] as readonly X509Certificate[], NOW);
  return certificate !== undefined && presents(certificate, domain, NOW).proven;
}

const STRANGE = 'no path to a trusted authority was found';

it('the authority of one home does not vouch for the server of another', () => {
  const forged = new InsideTrust(
    [
      { domains: [one], trust: judging(undefined, other) },
      { domains: [other], trust: judging(STRANGE, other) },
    ],
    judging(STRANGE),
  );
  expect(proves(forged, other)).toBe(false);
  expect(forged.judge([], NOW)?.untrusted).toContain(one);
});

it('of a certificate for both, only what its authority vouches for counts', () => {
  const trust = new InsideTrust(
    [
      { domains: [one, idn], trust: judging(undefined, one, other, 'xn--bcher-kva.example') },
      { domains: [other], trust: judging(STRANGE, one, other, 'xn--bcher-kva.example') },
    ],
    judging(STRANGE),
  );
  expect([proves(trust, one), proves(trust, idn), proves(trust, other)]).toEqual([true, true, false]);
});

it('an authority that both homes name vouches for both', () => {
  const shared = judging(undefined, one, other);
  const trust = new InsideTrust(
    [
      { domains: [one], trust: shared },
      { domains: [other], trust: shared },
    ],
    judging(STRANGE),
  );
  expect([proves(trust, one), proves(trust, other)]).toEqual([true, true]);
});

it('where no home names authorities nothing is proven', () => {
  const trust = new InsideTrust([], judging(STRANGE, one));
  expect(proves(trust, one)).toBe(false);
});
