import { expect, test } from 'vitest';
import { Box, COMPONENT_SECRET } from './box.ts';
import { CountedHome } from './counted-home.ts';
import { CountedPartner } from './counted-partner.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { until } from './until.ts';

const HOME = 'coluc.com';

async function peersAround(box: Box, count: number) {
  const ledger = new Ledger();
  const domains = Array.from({ length: count }, (_, index) => `p${index + 1}.lab`);
  const partners: CountedPartner[] = [];
  for (const [index, domain] of domains.entries()) {
    const partner = await CountedPartner.start({
      domain,
      certificate: box.certificate(domain),
      address: box.peerAddress(10 + index),
      edges: [{ address: box.address, port: box.port }],
      homes: [HOME],
      recorder: ledger,
    });
    box.dns.srv(domain, [0, 0, partner.place.port, `s2s.${domain}`]).a(`s2s.${domain}`, partner.place.address);
    partners.push(partner);
  }
  const home = new CountedHome({
    domain: HOME,
    secret: COMPONENT_SECRET,
    listener: { address: box.insideAddress, port: box.componentPort },
    address: box.insideAddress,
    partners: domains,
    recorder: ledger,
  });
  await until(() => home.isConnected && partners.every(({ isConnected }) => isConnected), 'the peers are connected');
  return {
    ledger,
    partners,
    home,
    async [Symbol.asyncDispose]() {
      home[Symbol.dispose]();
      for (const partner of partners) await partner[Symbol.asyncDispose]();
    },
  };
}

test('through a single box everything adds up, both ways', async () => {
  await using box = await Box.start({ network: 101, homeAway: true, log: { level: 'info' } });
  await using around = await peersAround(box, 4);
  const { ledger, partners, home } = around;
  using load = new Load([...partners, home], 1_000);
  load.start();
  await until(() => ledger.totals().delivered > 1_500, 'the load', 15_000);
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account).toMatchObject({ delivered: account.sent, bounced: 0, lost: 0 });
  expect(ledger.flows.toSorted()).toEqual([...partners, home].flatMap(({ flows }) => flows).toSorted());
  expect(partners.flatMap(({ failures }) => failures)).toEqual([]);
});

test('a server inside that is lost takes one run of stanzas with it; what comes meanwhile is returned, and then all is well', async () => {
  await using box = await Box.start({ network: 102, homeAway: true, log: { level: 'info' } });
  await using around = await peersAround(box, 2);
  const { ledger, partners, home } = around;
  using load = new Load([...partners, home], 500);
  load.start();
  await until(() => ledger.totals().delivered > 300, 'the load');
  const from = performance.now() - 500;
  home.lose();
  await until(() => home.isConnected, 'the home is back');
  ledger.incident({ what: 'the server inside was lost', from, until: performance.now() });
  const before = ledger.totals().delivered;
  await until(() => ledger.totals().delivered > before + 300, 'the load goes on');
  load.stop();
  await ledger.settled();
  ledger.check({ bounce: ({ condition }) => condition === 'service-unavailable' });
  expect(home.connections).toBe(2);
});
