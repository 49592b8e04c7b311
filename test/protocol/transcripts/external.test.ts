import { expect, test } from 'vitest';
import { World } from '../world.ts';
import { header, message, SASL } from '../xml.ts';

const COLUC = { names: ['coluc.com'] };
const VNGTP = { names: ['vngtp.lab'] };

test('C-48, C-53, S-22, S-40: EXTERNAL both ways', async () => {
  const world = new World();
  const coluc = world.server({
    domains: ['coluc.com'],
    tls: 'required',
    authentication: 'external',
    peerMustProve: true,
    certificate: COLUC,
  });
  const vngtp = world.server({
    domains: ['vngtp.lab'],
    tls: 'required',
    authentication: 'external',
    peerMustProve: true,
    certificate: VNGTP,
  });
  const there = coluc.open('vngtp.lab');
  there.wire.send('C', message('eva@coluc.com', 'jan@vngtp.lab'));
  world.clock.settle();
  const back = vngtp.open('coluc.com');
  for (const { client, server } of [there, back]) {
    expect(client.authorized.map(({ by }) => by)).toEqual(['external']);
    expect(server?.authorized.map(({ by }) => by)).toEqual(['external']);
  }
  expect(world.delivered).toHaveLength(1);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./external.txt');
});

test('C-35, C-54: EXTERNAL is not offered to a certificate that proves nothing, and dialback takes its place', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'], tls: 'required', certificate: { names: ['somewhere.else'] } });
  world.server({ domains: ['vngtp.lab'], tls: 'required', certificate: VNGTP });
  const { client } = coluc.open('vngtp.lab');
  expect(client.authorized.map(({ by }) => by)).toEqual(['dialback']);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./external-not-offered.txt');
});

test('C-54: EXTERNAL is offered and then refused: dialback on the same stream', async () => {
  const world = new World();
  const coluc = world.server({
    domains: ['coluc.com'],
    secret: 's3cr3tf0rd14lb4ck',
    tls: 'required',
    certificate: COLUC,
  });
  world.point('vngtp.lab', 'raw');
  const { raw, client } = coluc.open('vngtp.lab');
  if (raw === undefined) throw new Error('no raw peer');
  raw.say(
    `${header({ from: 'vngtp.lab', to: 'coluc.com', id: 'a' })}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`,
  );
  raw.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  raw.startTls(VNGTP);
  raw.say(
    `${header({ from: 'vngtp.lab', to: 'coluc.com', id: 'b' })}<stream:features><mechanisms ${SASL}><mechanism>EXTERNAL</mechanism></mechanisms><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>`,
  );
  raw.say(`<failure ${SASL}><not-authorized/><text xml:lang='en'>no clientAuth in your certificate</text></failure>`);
  raw.say("<db:result from='vngtp.lab' to='coluc.com' type='valid'/>");
  expect(client.authorized.map(({ by }) => by)).toEqual(['dialback']);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./external-refused.txt');
});

test('C-34, R-36: who insists on certificates says so instead of waiting', async () => {
  const world = new World();
  const coluc = world.server({
    domains: ['coluc.com'],
    tls: 'required',
    certificate: { names: ['coluc.com'], untrusted: 'the certificate is self-signed' },
  });
  world.server({ domains: ['vngtp.lab'], tls: 'required', authentication: 'external', certificate: VNGTP });
  const { client } = coluc.open('vngtp.lab');
  expect(client.ended).toMatchObject({ by: 'them', condition: 'policy-violation' });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./external-demanded.txt');
});

test('C-28: nothing is sent to a peer whose certificate does not prove its domain', async () => {
  const world = new World();
  const coluc = world.server({
    domains: ['coluc.com'],
    tls: 'required',
    authentication: 'external',
    peerMustProve: true,
    certificate: COLUC,
  });
  world.server({ domains: ['vngtp.lab'], tls: 'required', certificate: { names: ['somewhere.else'] } });
  const { client } = coluc.open('vngtp.lab');
  expect(client.written).not.toMatch(/<auth|db:result/);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./peer-unproven.txt');
});
