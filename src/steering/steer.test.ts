import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import { type SteeringSettings, steer } from './steer.ts';

const settings: SteeringSettings = {
  answer: ['10.0.0.2', '10.0.0.3'],
  port: 5269,
  ttl: 60,
  keep: ['coluc.com', 'bücher.example', 'ldap.corp.example'].map((zone) => parseDomain(zone) as Domain),
};

describe('a foreign domain', () => {
  test('has its S2S at fedway: the SRV record names the domain itself', () => {
    const expected = { steer: 'srv', domain: 'vngtp.lab', addresses: ['10.0.0.2', '10.0.0.3'] };
    expect(steer('_xmpp-server._tcp.vngtp.lab', 'SRV', settings)).toEqual(expected);
    expect(steer('_XMPP-Server._TCP.VNGTP.lab', 'SRV', settings)).toEqual(expected);
    expect(steer('_xmpp-server._tcp.xn--strae-oqa.example', 'SRV', settings)).toMatchObject({
      domain: 'xn--strae-oqa.example',
    });
  });

  test('is at fedway by its addresses, for servers that ask the C library', () => {
    expect(steer('vngtp.lab', 'A', settings)).toEqual({ steer: 'addresses', addresses: ['10.0.0.2', '10.0.0.3'] });
    expect(steer('conference.vngtp.lab', 'A', settings)).toMatchObject({ steer: 'addresses' });
    const both = { ...settings, answer: ['10.0.0.2', 'fd00::2'] };
    expect(steer('vngtp.lab', 'A', both)).toEqual({ steer: 'addresses', addresses: ['10.0.0.2'] });
    expect(steer('vngtp.lab', 'AAAA', both)).toEqual({ steer: 'addresses', addresses: ['fd00::2'] });
  });

  test.each([
    ['vngtp.lab', 'AAAA'],
    ['_xmpps-server._tcp.vngtp.lab', 'SRV'],
    ['_xmpp-client._tcp.vngtp.lab', 'SRV'],
    ['_jabber._tcp.vngtp.lab', 'SRV'],
    ['_xmpp-server._tcp.vngtp.lab', 'A'],
    ['_5269._tcp.vngtp.lab', 'TLSA'],
    ['vngtp.lab', 'SRV'],
    ['vngtp.lab', 'MX'],
    ['vngtp.lab', 'UNKNOWN_65'],
  ])('has nothing else: %s %s', (name, type) => {
    expect(steer(name, type, settings)).toEqual({ steer: 'no-data', domain: 'vngtp.lab' });
  });
});

describe('not a foreign domain', () => {
  test.each([
    ['our own domain', 'coluc.com'],
    ['a name below it', 'conference.coluc.com'],
    ['in any case', 'COLUC.com'],
    ['an international one', 'xn--bcher-kva.example'],
    ['a kept zone', 'ldap.corp.example'],
    ['a name of one label', 'localhost'],
    ['a name of this machine', 'xmpp.localhost'],
    ['a reverse look-up', '1.2.0.10.in-addr.arpa'],
    ['an address', '192.0.2.1'],
    ['the root', ''],
    ['a service of nothing', '_xmpp-server._tcp'],
    ['no domain', 'a b.lab'],
  ])('%s: %s', (_, name) => {
    expect(steer(name, 'A', settings)).toBeUndefined();
    expect(steer(`_xmpp-server._tcp.${name}`, 'SRV', settings)).toBeUndefined();
  });

  test('a name that merely ends like a kept one is foreign', () => {
    expect(steer('evilcoluc.com', 'A', settings)).toBeDefined();
    expect(steer('corp.example', 'A', settings)).toBeDefined();
  });
});

test('total; whatever is kept or foreign stays so in upper case', () => {
  const names = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.domain(),
    fc.domain().map((name) => `_xmpp-server._tcp.${name}`),
  );
  fc.assert(
    fc.property(names, fc.constantFrom('A', 'AAAA', 'SRV', 'TXT'), (name, type) => {
      const upper = name.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
      expect(steer(upper, type, settings)).toEqual(steer(name, type, settings));
    }),
  );
});
