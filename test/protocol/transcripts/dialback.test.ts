import { expect, test } from 'vitest';
import { World } from '../world.ts';
import { DIALBACK, features, header, headerAttribute, message, PROCEED, result, STARTTLS, verify } from '../xml.ts';

/** The key in the reference system's log. It is no key of XEP-0185: whoever is not the authoritative server cannot know that. */
const SEEN_KEY = 'd780f198ac34a6dbd795fcdaf8762eaf52ea9b03';

test('D-18, D-19, D-22: the reference walk as initiating server: coluc.com proves itself to vngtp.lab', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], secret: 's3cr3tf0rd14lb4ck' });
  world.point('vngtp.lab', 'raw');
  const { raw, client } = coluc.open('vngtp.lab');
  raw?.hear();
  raw?.say(header({ from: 'vngtp.lab', to: 'coluc.com', id: '05E295A2B' }) + features(DIALBACK));
  raw?.say("<db:result from='vngtp.lab' to='coluc.com' type='valid'/>");
  expect(client.authorized).toEqual([{ pair: { sender: 'coluc.com', target: 'vngtp.lab' }, by: 'dialback' }]);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./reference-initiating.txt');
});

test('D-04, D-32, D-37: the reference walk as receiving server: vngtp.lab asks the server of coluc.com', async () => {
  const world = new World();
  world.nextStreamIds.push('05E295A2B');
  const vngtp = world.server({ domains: ['vngtp.lab'] });
  world.point('coluc.com', 'raw');
  const { raw: initiating, side } = vngtp.connectedByRaw();
  initiating.say(header({ from: 'coluc.com', to: 'vngtp.lab' }));
  initiating.say(result('coluc.com', 'vngtp.lab', SEEN_KEY));
  const authoritative = world.opened[0]?.raw;
  authoritative?.say(header({ from: 'coluc.com', to: 'vngtp.lab', id: 'whatever' }) + features(DIALBACK));
  authoritative?.say(`<db:verify from='coluc.com' id='05E295A2B' to='vngtp.lab' type='valid'>${SEEN_KEY}</db:verify>`);
  authoritative?.say('</stream:stream>');
  initiating.say(message('jan@coluc.com/x', 'eva@vngtp.lab'));
  expect(side.authorized).toEqual([{ pair: { sender: 'coluc.com', target: 'vngtp.lab' }, by: 'dialback' }]);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./reference-receiving.txt');
});

test('D-54, D-61, S-25, S-38: the reference walk as authoritative server: vngtp.lab asks coluc.com', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], secret: 's3cr3tf0rd14lb4ck' });
  const key = coluc.keyFor('vngtp.lab', '05E295A2B');
  const { raw } = coluc.connectedByRaw();
  raw.say(header({ from: 'vngtp.lab', id: '1327B794B', to: 'coluc.com', lang: 'en-US.UTF-8' }));
  raw.say(verify('vngtp.lab', 'coluc.com', '05E295A2B', key));
  raw.say('</stream:stream>');
  expect(raw.received).toContain("type='valid'");
  await expect(world.transcript.toString()).toMatchFileSnapshot('./reference-authoritative.txt');
});

test('all three roles at once: two boxes, TLS with certificates nobody trusts, a message each way', async () => {
  const world = new World();
  const untrusted = 'the certificate is self-signed';
  const coluc = world.server({ domains: ['coluc.com'], certificate: { names: ['coluc.com'], untrusted } });
  const vngtp = world.server({ domains: ['vngtp.lab'], certificate: { names: ['vngtp.lab'], untrusted } });
  world.transcript.says('coluc.com opens a stream to vngtp.lab');
  const there = coluc.open('vngtp.lab');
  expect(there.client.authorized).toHaveLength(1);
  expect(there.server?.authorized).toHaveLength(1);
  there.wire.send('C', message('eva@coluc.com', 'jan@vngtp.lab'));
  world.clock.settle();
  world.transcript.says('and vngtp.lab one to coluc.com');
  const back = vngtp.open('coluc.com');
  back.wire.send('C', message('jan@vngtp.lab', 'eva@coluc.com', 'hello back'));
  world.clock.settle();
  expect(world.delivered).toEqual([
    `vngtp.lab: ${message('eva@coluc.com', 'jan@vngtp.lab').replace('<message', '<message').replace('>', " xml:lang='en'>")}`,
    `coluc.com: ${message('jan@vngtp.lab', 'eva@coluc.com', 'hello back').replace('>', " xml:lang='en'>")}`,
  ]);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./three-roles.txt');
});

test('D-24, D-44, D-45: the authoritative server is not in DNS: the initiating one is told at once, and the stream stays', async () => {
  const world = new World();
  const vngtp = world.server({ domains: ['vngtp.lab'] });
  const { raw, side } = vngtp.connectedByRaw();
  raw.say(header({ from: 'coluc.com', to: 'vngtp.lab' }));
  raw.say(result('coluc.com', 'vngtp.lab', SEEN_KEY));
  expect(side.ended).toBeUndefined();
  await expect(world.transcript.toString()).toMatchFileSnapshot('./authoritative-not-found.txt');
});

test('D-38: a wrong secret: the key is invalid, and the stream ends', async () => {
  const world = new World();
  const impostor = world.server({ domains: ['coluc.com'], secret: 'somebody elses' });
  world.server({ domains: ['coluc.com'], secret: 'the secret of the domain' });
  const vngtp = world.server({ domains: ['vngtp.lab'] });
  world.point('vngtp.lab', vngtp);
  const { client } = impostor.open('vngtp.lab');
  expect(client.ended).toEqual({ by: 'dialback', failure: { answer: 'invalid' } });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./wrong-secret.txt');
});

test('S-33, S-14: a server from before XMPP 1.0 names the domains in db:result', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'] });
  const jabd = world.server({ domains: ['jabd.lab'] });
  const { raw, side } = coluc.connectedByRaw();
  const heard = raw.say(header({ version: '' }));
  const id = headerAttribute(heard, 'id') ?? '';
  const key = jabd.keyFor('coluc.com', id);
  raw.say(result('jabd.lab', 'coluc.com', key));
  raw.say(message('jan@jabd.lab', 'eva@coluc.com'));
  expect(side.authorized).toHaveLength(1);
  expect(world.delivered).toHaveLength(1);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./before-1.0.txt');
});

test('S-35: a server from before XMPP 1.0 answers: no features are waited for', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], secret: 's3cr3tf0rd14lb4ck' });
  world.point('jabd.lab', 'raw');
  const { raw, client } = coluc.open('jabd.lab');
  raw?.say(header({ id: 'abc123', version: '' }));
  raw?.say("<db:result from='jabd.lab' to='coluc.com' type='valid'/>");
  expect(client.authorized).toHaveLength(1);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./before-1.0-answers.txt');
});

test('T-32: a peer that insists on plaintext where TLS is required is told why, and then cut off', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], tls: 'required' });
  const { raw, side } = coluc.connectedByRaw();
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  raw.say(result('vngtp.lab', 'coluc.com', SEEN_KEY));
  raw.say(result('vngtp.lab', 'coluc.com', SEEN_KEY));
  expect(side.claims).toEqual([]);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./plaintext-refused.txt');
});

test('T-04, V-20: plaintext behind <starttls/> never reaches the stream behind TLS', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], tls: 'required' });
  const { raw } = coluc.connectedByRaw();
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  raw.say(STARTTLS + header({ from: 'vngtp.lab', to: 'coluc.com' }) + verify('vngtp.lab', 'coluc.com', 'x', 'k'));
  expect(raw.received.endsWith(PROCEED)).toBe(true);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./plaintext-behind-starttls.txt');
});
