import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Domain, parseDomain } from '../jid/domain.ts';
import { element } from '../xml/write.ts';
import { encodeBase64 } from './base64.ts';
import { type ExternalFacts, ExternalReceiving, writeSaslStep } from './external-receiving.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const VNGTP = parseDomain('vngtp.lab');

function facts(changes: Partial<ExternalFacts> = {}): ExternalFacts {
  return { secure: true, offered: true, from: VNGTP, proves: (domain: Domain) => domain === VNGTP, ...changes };
}

test('C-36, C-37: nothing a peer says succeeds for a domain that the certificate does not prove, or that is not the stream’s', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .constantFrom('', '=', 'vngtp.lab', 'evil.lab', 'VNGTP.LAB')
      .map((each) => (each.length < 2 ? each : encodeBase64(each))),
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('auth', 'response', 'abort', 'other'), text, fc.constantFrom('EXTERNAL', 'PLAIN')),
        { maxLength: 5 },
      ),
      fc.constantFrom(undefined, VNGTP, parseDomain('evil.lab')),
      (steps, from) => {
        const exchange = new ExternalReceiving();
        for (const [name, content, mechanism] of steps) {
          const step = exchange.handle(element(name, SASL, { mechanism }, content), facts({ from }));
          const domain = step.step === 'success' ? step.domain : VNGTP;
          expect(domain).toBe(VNGTP);
          expect(step.step === 'success' && from !== undefined && from !== VNGTP).toBe(false);
        }
      },
    ),
  );
});

test('C-42, C-41, C-31: the reasons in their order', () => {
  const auth = element('auth', SASL, { mechanism: 'PLAIN' }, '=');
  const exchange = new ExternalReceiving();
  expect(exchange.handle(auth, facts({ secure: false, offered: false }))).toMatchObject({
    condition: 'encryption-required',
  });
  expect(exchange.handle(auth, facts({ offered: false }))).toMatchObject({ condition: 'invalid-mechanism' });
  const external = element('auth', SASL, { mechanism: 'EXTERNAL' }, '=');
  expect(exchange.handle(external, facts({ offered: false }))).toMatchObject({ condition: 'not-authorized' });
  expect(exchange.handle(external, facts({ proves: () => false }))).toMatchObject({ condition: 'not-authorized' });
});

test('each step as XML', () => {
  expect(writeSaslStep({ step: 'success', domain: 'x' as Domain })).toBe(`<success xmlns='${SASL}'/>`);
  expect(writeSaslStep({ step: 'challenge' })).toBe(`<challenge xmlns='${SASL}'/>`);
  expect(writeSaslStep({ step: 'failure', condition: 'aborted', why: 'never shown' })).toBe(
    `<failure xmlns='${SASL}'><aborted/></failure>`,
  );
});
