import { expect, test } from 'vitest';
import { ClientWorld } from './client-world.ts';
import { auth, SASL, saslFailure, streamError } from './xml.ts';

test.each(['SCRAM-SHA-1', 'SCRAM-SHA-256'] as const)('%s proves both sides to each other', (mechanism) => {
  const client = new ClientWorld().connect();
  client.open();
  expect(client.scram('juliet', 'pencil', mechanism)).toContain('<success ');
  expect(client.stream.clientFacts).toMatchObject({ username: 'juliet', mechanism });
});

test('PLAIN is asked of the accounts, with name and password as they are compared', () => {
  const client = new ClientWorld().connect();
  client.open();
  expect(client.plain('JULIET', 'pencil')).toContain('<success ');
  expect(client.stream.clientFacts).toMatchObject({ username: 'juliet', mechanism: 'PLAIN' });
});

test('what a wrong password and an unknown user are answered does not tell one from the other', () => {
  const [wrong, unknown] = ['juliet', 'nobody'].map((name) => {
    const client = new ClientWorld().connect();
    client.open();
    return client.scram(name, 'pincel');
  });
  expect(saslFailure(wrong ?? '')).toBe('not-authorized');
  expect(unknown).toBe(wrong);
});

test.each([
  ['a mechanism that is not ours', `<auth ${SASL} mechanism='DIGEST-MD5'/>`, 'invalid-mechanism'],
  ['EXTERNAL', `<auth ${SASL} mechanism='EXTERNAL'>=</auth>`, 'invalid-mechanism'],
  ['no mechanism', `<auth ${SASL}/>`, 'invalid-mechanism'],
  ['what is not base64', `<auth ${SASL} mechanism='PLAIN'>a b</auth>`, 'incorrect-encoding'],
  ['what is not UTF-8', `<auth ${SASL} mechanism='PLAIN'>/w==</auth>`, 'incorrect-encoding'],
  ['PLAIN without a password', auth('\0juliet', 'PLAIN'), 'malformed-request'],
  ['somebody else to act for', auth('romeo@example.com\0juliet\0pencil', 'PLAIN'), 'invalid-authzid'],
  ['a response to nothing', `<response ${SASL}/>`, 'malformed-request'],
  ['an abort of nothing', `<abort ${SASL}/>`, 'malformed-request'],
  ['a message that is none of SCRAM', `<auth ${SASL} mechanism='SCRAM-SHA-1'>QQ==</auth>`, 'malformed-request'],
])('%s is refused', (_what, xml, condition) => {
  const client = new ClientWorld().connect();
  client.open();
  expect(saslFailure(client.sayAndWait(xml, 20))).toBe(condition);
});

test('the authorization identity may be the user itself', () => {
  const client = new ClientWorld().connect();
  client.open();
  expect(client.sayAndWait(auth('juliet@example.com\0juliet\0pencil', 'PLAIN'), 20)).toContain('<success ');
});

test('without an initial response the first message is asked for', () => {
  const client = new ClientWorld().connect();
  client.open();
  expect(client.say(`<auth ${SASL} mechanism='PLAIN'/>`)).toBe(`<challenge ${SASL}/>`);
  const response = auth('\0juliet\0pencil', 'PLAIN')
    .replace(/<auth [^>]*>/, `<response ${SASL}>`)
    .replace('auth>', 'response>');
  expect(client.sayAndWait(response, 20)).toContain('<success ');
});

test('an exchange can be given up', () => {
  const client = new ClientWorld().connect();
  client.open();
  client.say(`<auth ${SASL} mechanism='SCRAM-SHA-1'/>`);
  expect(saslFailure(client.say(`<abort ${SASL}/>`))).toBe('aborted');
  expect(client.scram('juliet', 'pencil')).toContain('<success ');
});

test('the third failure ends the stream', () => {
  const client = new ClientWorld().connect();
  client.open();
  client.plain('juliet', 'a');
  client.scram('juliet', 'b');
  expect(streamError(client.plain('juliet', 'c'))).toBe('policy-violation');
});

test('a client that cannot bind the channel may try the other mechanisms; what it said of the channel is no guess', () => {
  const failed: unknown[] = [];
  const client = new ClientWorld({ brake: { failed: (username) => failed.push(username) } }).connect();
  client.open();
  for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'])
    expect(saslFailure(client.say(auth('p=tls-unique,,n=juliet,r=x', mechanism)))).toBe('not-authorized');
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
    expect(saslFailure(client.say(auth('y,,n=juliet,r=x', mechanism)))).toBe('not-authorized');
  expect(client.plain('juliet', 'pencil')).toContain('<success ');
  expect(failed).toEqual([]);
});

test('exchanges that never come to a password are bounded too', () => {
  const client = new ClientWorld().connect();
  client.open();
  let heard = '';
  for (let round = 0; round < 11; round++) heard = client.say(`<auth ${SASL} mechanism='SCRAM-SHA-1'/>`);
  expect(streamError(heard)).toBe('policy-violation');
});

test('a failure is told late, and whoever does not wait for it is out', () => {
  const world = new ClientWorld({ brake: { failed: () => 2000 } });
  const patient = world.connect();
  patient.open();
  expect(patient.plain('juliet', 'wrong')).toBe('');
  world.clock.advance(2000);
  expect(saslFailure(patient.raw.hear())).toBe('not-authorized');
  const hasty = world.connect();
  hasty.open();
  hasty.plain('juliet', 'wrong');
  expect(streamError(hasty.say(auth('\0juliet\0pencil', 'PLAIN')))).toBe('policy-violation');
});

test('a second attempt while the first password is being checked ends the stream, and the answer changes nothing', () => {
  const world = new ClientWorld();
  world.holdsAnswers = true;
  const client = world.connect();
  client.open();
  client.say(auth('\0juliet\0pencil', 'PLAIN'));
  expect(streamError(client.say(auth('\0romeo\0rose', 'PLAIN')))).toBe('policy-violation');
  for (const answer of world.answers) answer();
  expect(client.raw.hear()).toBe('');
  expect(client.stream.clientFacts.username).toBeUndefined();
});

test('whom the brakes refuse is not even asked for a proof', () => {
  const client = new ClientWorld({ brake: { admits: () => false } }).connect();
  client.open();
  expect(streamError(client.scram('juliet', 'pencil'))).toBe('policy-violation');
});

test('after authentication there is no second one', () => {
  const client = new ClientWorld().connect();
  client.authenticate();
  expect(streamError(client.say(auth('\0romeo\0rose', 'PLAIN')))).toBe('not-authorized');
});

test('without channel bindings the -PLUS mechanisms are not offered, and not taken', () => {
  const client = new ClientWorld({ bindings: {} }).connect();
  expect(client.open()).not.toContain('PLUS');
  expect(saslFailure(client.say(`<auth ${SASL} mechanism='SCRAM-SHA-1-PLUS'/>`))).toBe('invalid-mechanism');
});

test('what authenticates is in no note', () => {
  const world = new ClientWorld();
  const client = world.connect();
  client.open();
  client.plain('juliet', 'wrong pencil');
  client.scram('juliet', 'pencil');
  const notes = JSON.stringify(client.side.notes);
  expect(notes).toContain('(not shown)');
  expect(notes).not.toContain(Buffer.from('\0juliet\0wrong pencil').toString('base64'));
  expect(notes).not.toContain('wrong pencil');
  const payloads = client.raw.received.matchAll(/<(?:challenge|success) [^>]*>([^<]+)</g);
  for (const [, payload = ''] of payloads) expect(notes).not.toContain(payload);
});
