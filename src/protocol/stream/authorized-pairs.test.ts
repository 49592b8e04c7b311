import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stanzaIn } from '../../../test/support/xml-events.ts';
import { type Domain, parseDomain } from '../jid/domain.ts';
import { AuthorizedPairs } from './authorized-pairs.ts';

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

const OURS = ['coluc.com', 'conference.coluc.com'].map(domain);
const VNGTP = { sender: domain('vngtp.lab'), target: domain('coluc.com') };

function pairsWith(denied: readonly string[] = []) {
  let asked = 0;
  const policy = { denied, ours: OURS as readonly Domain[] };
  const pairs = new AuthorizedPairs({
    serves: (each) => policy.ours.includes(each),
    admits: ({ sender, target }) => {
      asked += 1;
      return policy.denied.includes(`${sender} ${target}`) || policy.denied.includes(sender) ? 'denied' : true;
    },
  });
  return { pairs, policy, asked: () => asked };
}

function message(from: string | undefined, to: string | undefined) {
  const attributes = [from === undefined ? '' : ` from='${from}'`, to === undefined ? '' : ` to='${to}'`];
  return stanzaIn(`<message${attributes.join('')}/>`);
}

/** One of the ways to spell a domain: the bits of `n` say which letters are capitals. */
function spelled(text: string, n: number): string {
  let bit = 0;
  return text.replace(/[a-z]/g, (letter) => ((n >> bit++) & 1 ? letter.toUpperCase() : letter));
}

test('S-46, E-31: before anybody is authorized nothing of a stanza is looked at', () => {
  const { pairs } = pairsWith();
  for (const stanza of [message('a@vngtp.lab', 'b@coluc.com'), message(undefined, undefined), message('@', '@')])
    expect(pairs.judge(stanza)).toMatchObject({ may: 'end', condition: 'not-authorized' });
});

test('R-06: a proven sender may write to each of our domains, under the pair it was authorized with where there is one', () => {
  const { pairs } = pairsWith();
  pairs.add(VNGTP, 'dialback');
  const judged = pairs.judge(message('a@vngtp.lab', 'b@coluc.com'));
  expect(judged).toEqual({ may: 'pass', pair: VNGTP });
  expect(judged.may === 'pass' && judged.pair).toBe(VNGTP);
  expect(pairs.judge(message('a@vngtp.lab', 'r@conference.coluc.com'))).toEqual({
    may: 'pass',
    pair: { sender: 'vngtp.lab', target: 'conference.coluc.com' },
  });
  expect([pairs.size, pairs.has(VNGTP), pairs.has({ ...VNGTP, target: domain('conference.coluc.com') })]).toEqual([
    1,
    true,
    false,
  ]);
  expect(pairs.all()).toEqual([{ ...VNGTP, by: 'dialback' }]);
  expect(pairs.carried()).toEqual([VNGTP, { sender: 'vngtp.lab', target: 'conference.coluc.com' }]);
});

test('the same object comes back for the same addresses, in whatever spelling', () => {
  const { pairs, asked } = pairsWith();
  pairs.add(VNGTP, 'dialback');
  const first = pairs.judge(message('a@vngtp.lab', 'b@coluc.com'));
  expect(pairs.judge(message('c@vngtp.lab/x', 'coluc.com'))).toBe(first);
  pairs.judge(message('a@VNGTP.LAB', 'b@coluc.com'));
  expect(pairs.judge(message('a@vngtp.lab', 'b@coluc.com'))).toBe(first);
  expect(asked()).toBe(2);
});

test('R-29: a pair that policy denies is dropped; a change of policy is seen once it is told', () => {
  const { pairs, policy } = pairsWith(['vngtp.lab conference.coluc.com']);
  pairs.add(VNGTP, 'dialback');
  const toRoom = message('a@vngtp.lab', 'r@conference.coluc.com');
  expect(pairs.judge(toRoom)).toEqual({ may: 'drop', because: 'denied' });
  policy.denied = [];
  expect(pairs.judge(toRoom).may).toBe('drop');
  pairs.reconsider();
  expect(pairs.judge(toRoom).may).toBe('pass');
  policy.ours = [domain('coluc.com')];
  pairs.reconsider();
  expect(pairs.judge(toRoom)).toMatchObject({ may: 'end', condition: 'host-unknown' });
});

test('adding a pair changes what was judged before', () => {
  const { pairs } = pairsWith();
  pairs.add(VNGTP, 'dialback');
  const other = message('a@other.lab', 'b@coluc.com');
  expect(pairs.judge(other)).toMatchObject({ condition: 'invalid-from' });
  pairs.add({ sender: domain('other.lab'), target: domain('coluc.com') }, 'dialback');
  expect(pairs.judge(other).may).toBe('pass');
});

describe('what it remembers', () => {
  test('is bounded: ten thousand spellings are judged right, and the first ones again', () => {
    const { pairs, asked } = pairsWith();
    pairs.add(VNGTP, 'dialback');
    for (let n = 0; n < 10_000; n++) {
      const stanza = message(`a@${spelled('vngtp.lab', n % 256)}`, `b@${spelled('coluc.com', Math.floor(n / 256))}`);
      expect(pairs.judge(stanza).may).toBe('pass');
    }
    const before = asked();
    expect(pairs.judge(message('a@vngtp.lab', 'b@coluc.com')).may).toBe('pass');
    expect(asked()).toBeGreaterThan(before);
  });

  test('never changes a judgment: with and without a past it is the same', () => {
    const address = fc.constantFrom(
      'a@vngtp.lab',
      'vngtp.lab',
      'x@evil.lab',
      '',
      '@vngtp.lab',
      'a@VNGTP.lab/',
      'b@coluc.com',
      'r@conference.coluc.com/n',
      'nobody@192.0.2.1',
      undefined,
    );
    const all = pairsWith(['evil.lab']);
    all.pairs.add(VNGTP, 'dialback');
    all.pairs.add({ sender: domain('evil.lab'), target: domain('coluc.com') }, 'dialback');
    fc.assert(
      fc.property(address, address, (from, to) => {
        const fresh = pairsWith(['evil.lab']);
        fresh.pairs.add(VNGTP, 'dialback');
        fresh.pairs.add({ sender: domain('evil.lab'), target: domain('coluc.com') }, 'dialback');
        expect(all.pairs.judge(message(from, to))).toEqual(fresh.pairs.judge(message(from, to)));
      }),
    );
  });
});
