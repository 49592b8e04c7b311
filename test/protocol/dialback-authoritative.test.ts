import { describe, expect, test } from 'vitest';
import { dialedBack, greeted, secured } from './peers.ts';
import { dialbackError, message, streamError, verify } from './xml.ts';

const ID = '05E295A2B';

describe('as authoritative server', () => {
  test.each([
    ['our key', (key: string) => key, 'valid'],
    ['D-03: our key in white space', (key: string) => `\n  ${key}\n`, 'valid'],
    ['D-03: the first half of it', (key: string) => key.slice(0, 32), 'invalid'],
    ['D-03: with something behind it', (key: string) => `${key}0`, 'invalid'],
    ['D-03: in capitals', (key: string) => key.toUpperCase(), 'invalid'],
    ['another key', () => 'd780f198ac34a6dbd795fcdaf8762eaf52ea9b03', 'invalid'],
  ])('D-54, D-57: %s', (_what, change, type) => {
    const { raw, server } = greeted({}, { from: 'other.lab' });
    expect(raw.say(verify('vngtp.lab', 'coluc.com', ID, change(server.keyFor('vngtp.lab', ID))))).toBe(
      `<db:verify from='coluc.com' to='vngtp.lab' id='${ID}' type='${type}'/>`,
    );
  });

  test.each([
    ['for another target', 'other.lab', 'coluc.com', ID],
    ['for another id', 'vngtp.lab', 'coluc.com', `${ID}0`],
    ['for another domain of ours', 'vngtp.lab', 'conference.coluc.com', ID],
  ])('D-08, V-02, V-23: our key %s is invalid', (_what, from, to, id) => {
    const { raw, server } = greeted({ domains: ['coluc.com', 'conference.coluc.com'] });
    expect(raw.say(verify(from, to, id, server.keyFor('vngtp.lab', ID)))).toContain("type='invalid'");
  });

  test('D-02: domains in other spellings give the same answer', () => {
    const { raw, server } = greeted();
    expect(raw.say(verify('VNGTP.lab.', 'COLUC.COM', ID, server.keyFor('vngtp.lab', ID)))).toContain("type='valid'");
  });

  test('D-54: the id comes back as it was', () => {
    const { raw } = greeted();
    expect(raw.say(verify('vngtp.lab', 'coluc.com', 'a&amp;&apos;&lt;b', 'k'))).toContain("id='a&amp;&apos;&lt;b'");
  });

  test('D-06: another box with the same secret vouches for the key', () => {
    const other = greeted({ secret: 'shared by all boxes' });
    const { raw } = greeted({ secret: 'shared by all boxes' });
    expect(raw.say(verify('vngtp.lab', 'coluc.com', ID, other.server.keyFor('vngtp.lab', ID)))).toContain(
      "type='valid'",
    );
  });

  test('X-27: a peer that asks without end and proves nothing is stopped; 256 questions are answered', () => {
    const { raw } = greeted();
    const question = verify('vngtp.lab', 'coluc.com', ID, 'k');
    const answers = raw.say(question.repeat(256));
    expect(answers.match(/<db:verify /g)).toHaveLength(256);
    expect(streamError(raw.say(question))).toBe('policy-violation');
  });

  test('D-55: a domain that is not ours', () => {
    const { raw, side } = greeted();
    const heard = raw.say(verify('vngtp.lab', 'nosuch.example', '417', 'k'));
    expect(heard).toContain("<db:verify from='nosuch.example' to='vngtp.lab' id='417' type='error'>");
    expect(dialbackError(heard)).toBe('item-not-found');
    expect(side.ended).toBeUndefined();
  });

  test('D-56: no authorization is needed: before and behind TLS, with any header', () => {
    for (const { raw } of [
      greeted({}, { from: undefined }),
      secured({}),
      greeted({}, { version: '', to: undefined, from: undefined }),
    ])
      expect(raw.say(verify('vngtp.lab', 'coluc.com', ID, 'k'))).toContain("type='invalid'");
  });

  test('D-58: a domain that policy denies', () => {
    const { raw } = greeted({
      ruling: (remote) => (remote === 'evil.lab' ? { admitted: false, because: 'denied' } : {}),
    });
    expect(dialbackError(raw.say(verify('evil.lab', 'coluc.com', ID, 'k')))).toBe('policy-violation');
  });

  test('D-59: an answer authorizes nothing', () => {
    const { raw, server, world } = greeted();
    raw.say(verify('vngtp.lab', 'coluc.com', ID, server.keyFor('vngtp.lab', ID)));
    expect(streamError(raw.say(message('a@vngtp.lab', 'b@coluc.com')))).toBe('not-authorized');
    expect(world.delivered).toEqual([]);
  });

  test.each(['valid', 'invalid', 'error', 'x'])('D-60, V-01: an answer of type %s that nobody asked for', (type) => {
    const { raw, side } = greeted();
    for (const from of ['vngtp.lab', 'no domain'])
      expect(raw.say(`<db:verify from='${from}' to='coluc.com' id='${ID}' type='${type}'/>`)).toBe('');
    expect([side.authorized, side.ended]).toEqual([[], undefined]);
  });

  test.each([
    [
      "<db:verify from='vngtp.lab' to='coluc.com'>k</db:verify>",
      "<db:verify from='coluc.com' to='vngtp.lab' type='error'>",
    ],
    [
      "<db:verify from='vngtp.lab' to='coluc.com' id='1'/>",
      "<db:verify from='coluc.com' to='vngtp.lab' id='1' type='error'>",
    ],
    [
      "<db:verify from='vngtp.lab' to='coluc.com' id='a b'>k</db:verify>",
      "<db:verify from='coluc.com' to='vngtp.lab' type='error'>",
    ],
    [
      `<db:verify from='vngtp.lab' to='coluc.com' id='${'i'.repeat(1025)}'>k</db:verify>`,
      "<db:verify from='coluc.com' to='vngtp.lab' type='error'>",
    ],
  ])('D-08, D-11: what cannot be read is a bad-request that echoes only what could: %s', (xml, beginning) => {
    const { raw } = greeted();
    const heard = raw.say(xml);
    expect(heard.startsWith(beginning)).toBe(true);
    expect(dialbackError(heard)).toBe('bad-request');
  });

  test('D-61: the stream stays for thirty seconds after the last question, and then closes in good order', () => {
    const { raw, side, world } = greeted();
    for (let n = 0; n < 3; n++) {
      world.clock.advance(25_000);
      raw.say(verify('vngtp.lab', 'coluc.com', ID, 'k'));
    }
    world.clock.advance(29_999);
    expect(side.ended).toBeUndefined();
    world.clock.advance(1);
    expect(raw.hear()).toBe('</stream:stream>');
    raw.say('</stream:stream>');
    expect(side.ended).toEqual({ by: 'close' });
  });

  test('D-61: a question on an open stream does not shorten its life', () => {
    const { raw, side, world } = dialedBack();
    raw.say(verify('vngtp.lab', 'coluc.com', ID, 'k'));
    world.clock.advance(3_600_000);
    expect(side.ended).toBeUndefined();
  });

  test('D-62: the log says why, and never the key that was expected', () => {
    const { raw, side, server } = greeted();
    raw.say(verify('vngtp.lab', 'coluc.com', ID, 'wrong') + verify('vngtp.lab', 'nosuch.example', ID, 'k'));
    const told = side.notes.filter(({ note }) => note === 'verify-answered');
    expect(JSON.stringify(told)).toMatch(/not made with our dialback secret.*not served here/);
    expect(JSON.stringify(side.notes)).not.toContain(server.keyFor('vngtp.lab', ID));
  });
});
