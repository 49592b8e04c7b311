import { expect, test } from 'vitest';
import { stanzaIn } from '../../../test/support/xml-events.ts';
import { semanticFault } from './semantics.ts';

test.each([
  '<message/>',
  "<message type='whatever'/>",
  '<presence/>',
  ...['unavailable', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error'].map(
    (type) => `<presence type='${type}'/>`,
  ),
  ...['get', 'set', 'result', 'error'].map((type) => `<iq type='${type}' id='1'/>`),
])('R-17: %s can be handled', (xml) => {
  expect(semanticFault(stanzaIn(xml))).toBeUndefined();
});

test.each([
  "<presence type='available'/>",
  "<presence type=''/>",
  "<iq id='1'/>",
  "<iq id='1' type='subscribe'/>",
  "<iq type='get'/>",
  "<iq type='get' id=''/>",
])('R-15, R-16: %s cannot', (xml) => {
  expect(semanticFault(stanzaIn(xml))).toBeDefined();
});
