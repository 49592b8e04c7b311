import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { acceptAuthenticated, authenticated, openSecured, openStream } from '../support/peer-streams.ts';
import { type Wire, wireTo } from '../support/raw-peer.ts';
import { underAttack } from './under-attack.ts';

const here = underAttack({ network: 46, log: { level: 'info' } });

/** Writes pieces as fast as they are taken, until so many were, or none was for so many milliseconds. The answer counts the pieces. */
async function pour(wire: Wire, piece: string | Uint8Array, pieces: number, patience = 1_000): Promise<number> {
  for (let count = 1; count <= pieces; count++) if (!(await wire.pour(piece, patience))) return count;
  return pieces;
}

describe('peers that write and do not read', () => {
  const verify = "<db:verify from='a.lab' to='coluc.com' id='1'>0123456789abcdef</db:verify>".repeat(200);
  it.each([
    { name: 'db:verify', piece: verify },
    {
      name: 'db:result',
      piece: "<db:result from='DOMAIN' to='coluc.com'>k</db:result>".repeat(200),
    },
  ])('K-20: the answers to a flood of $name on an authorized stream do not pile up', async ({ piece }) => {
    const { box } = here();
    const domain = here().freshDomain();
    const wire = await authenticated(box, domain);
    wire.socket.pause();
    const before = box.memory();
    // A flood also warms up the just-in-time compiler and the heap: that they stay is no leak.
    expect(await pour(wire, piece.replaceAll('DOMAIN', domain), 3_000)).toBeLessThan(3_000);
    expect(box.memory() - before).toBeLessThan(200);
    await here().served();
    wire.destroy();
  });
});

describe('peers that ask without end', () => {
  it('X-27: one that has proven nothing and asks for keys as fast as it can is stopped, and others are served at once', async () => {
    const { box } = here();
    const piece = "<db:verify from='a.lab' to='coluc.com' id='1'>0123456789abcdef</db:verify>".repeat(200);
    const until = performance.now() + 2_000;
    const asking = (async () => {
      while (performance.now() < until) {
        const wire = await box.connect();
        await openSecured(wire, { from: here().freshDomain(), to: 'coluc.com' });
        await wire.pour(piece.repeat(5));
        expect(await wire.expect('</stream:error>')).toContain('policy-violation');
        wire.destroy();
      }
    })();
    const waits: number[] = [];
    while (performance.now() < until) waits.push(await here().served());
    await asking;
    expect(Math.max(...waits)).toBeLessThan(500);
  });
});

describe('back-pressure, end to end', () => {
  it('K-20: 200 MB for a server inside that does not read wait outside, and none is lost when it reads again', async () => {
    const ground = here();
    const { box } = ground;
    const domain = ground.freshDomain();
    const wire = await authenticated(box, domain);
    const { home } = box;
    const stanza = (n: number): string =>
      `<message from='a@${domain}' to='eva@coluc.com' id='n${n}'><body>${'x'.repeat(20_000)}</body></message>`;
    const count = 10_000;
    home.wire.recording = false;
    home.wire.socket.pause();
    const before = box.memory();
    let written = 0;
    let most = 0;
    const writing = (async () => {
      for (; written < count; written++) await wire.pour(stanza(written), 20_000);
    })();
    for (let look = 0; look < 15; look++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      most = Math.max(most, box.memory());
    }
    expect(written).toBeLessThan(count / 4);
    let next = 0;
    let rest = '';
    home.wire.onText = (text) => {
      rest += text;
      for (const [, id] of rest.matchAll(/ id='n(\d+)'/g)) expect(Number(id)).toBe(next++);
      rest = rest.slice(-40).replace(/ id='n\d+'/g, '');
    };
    home.wire.socket.resume();
    await writing;
    await expect.poll(() => next, { timeout: 15_000 }).toBe(count);
    most = Math.max(most, box.memory());
    home.wire.onText = undefined;
    home.wire.recording = true;
    wire.destroy();
    expect(most - before).toBeLessThan(150);
  });

  it('K-20: a partner that does not read does not stop what the home sends to others', async () => {
    const ground = here();
    const { box } = ground;
    const stuck = await ground.partner(() => undefined);
    stuck.server.script = async (wire) => {
      await acceptAuthenticated(wire, { from: stuck.domain }, stuck.certificate);
      wire.socket.pause();
    };
    const fine = await ground.partner(() => undefined);
    fine.server.script = (wire) => acceptAuthenticated(wire, { from: fine.domain }, fine.certificate);
    ground.sendTo(fine.domain, 'first');
    await expect.poll(() => fine.server.wires[0]?.text ?? '').toContain("id='first'");
    ground.sendTo(stuck.domain, 'opening');
    await box.log.wait((each) => each.code === 'authorized' && each.remote === stuck.domain);
    const before = box.memory();
    const piece = `<message from='eva@coluc.com' to='a@${stuck.domain}'><body>${'x'.repeat(50_000)}</body></message>`;
    const poured = await pour(box.home.wire, piece, 600, 4_000);
    expect(box.memory() - before).toBeLessThan(100);
    ground.sendTo(fine.domain, 'second');
    await expect.poll(() => fine.server.wires[0]?.text ?? '', { timeout: 5_000 }).toContain("id='second'");
    expect(poured).toBe(600);
    await expect.poll(() => box.home.received).toContain('<resource-constraint ');
    stuck.server.wires[0]?.reset();
    box.home.wire.text = '';
  });
});

describe('many connections', () => {
  it('K-12: of 1,000 from one address, 64 are let in; the rest is closed at once, and another address is served', async () => {
    const { box } = here();
    const address = box.peerAddress(50);
    const sockets = Array.from({ length: 1_000 }, () =>
      connect({ host: box.address, port: box.port, localAddress: address }),
    );
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed += 1;
      });
      socket.resume();
    }
    await expect.poll(() => closed, { timeout: 4_000 }).toBeGreaterThanOrEqual(936);
    expect(closed).toBe(936);
    const other = await box.connect(box.peerAddress(51));
    await openStream(other, { from: 'x.lab', to: 'coluc.com' });
    other.destroy();
    await here().served();
    for (const socket of sockets) socket.destroy();
    expect(box.log.records.some((each) => each.code === 'connection-refused' && /64/.test(each.message))).toBe(true);
    // The places are free again.
    await expect
      .poll(async () => {
        const again = await wireTo(box.address, box.port, address);
        const opened = await openStream(again, { from: 'x.lab', to: 'coluc.com' }).then(
          () => true,
          () => false,
        );
        again.destroy();
        return opened;
      })
      .toBe(true);
  });

  it('V-16: 2,000 connections that are given up in every state leave nothing behind', async () => {
    const { box } = here();
    const round = async (n: number): Promise<void> => {
      const wire = await box.connect(box.peerAddress(60 + (n % 20)));
      if (n % 4 === 1) wire.send('<');
      if (n % 4 === 2) await openStream(wire, { from: 'x.lab', to: 'coluc.com' });
      if (n % 4 === 3)
        wire.send(
          "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='coluc.com' version='1.0'>".repeat(
            2,
          ),
        );
      if (n % 2 === 0) wire.reset();
      else wire.destroy();
    };
    for (let n = 0; n < 400; n += 20) await Promise.all(Array.from({ length: 20 }, (_, m) => round(n + m)));
    const before = box.memory();
    for (let n = 0; n < 1_600; n += 20) await Promise.all(Array.from({ length: 20 }, (_, m) => round(n + m)));
    expect(box.memory() - before).toBeLessThan(50);
    await here().served();
  });

  it('500 connections that say nothing end by themselves, while others are served', async () => {
    const { box } = here();
    const wires: Wire[] = [];
    for (let n = 0; n < 450; n++) wires.push(await box.connect(box.peerAddress(80 + (n % 10))));
    expect(await here().served()).toBeLessThan(500);
    await Promise.all(wires.map((wire) => wire.end(4_000)));
  });
});

describe('floods', () => {
  it('20,000 valid stanzas arrive in order, and another peer is served in between', async () => {
    const ground = here();
    const { box } = ground;
    const domain = ground.freshDomain();
    const wire = await authenticated(box, domain);
    const seen: number[] = [];
    let rest = '';
    let healthy = false;
    const { home } = box;
    home.wire.recording = false;
    home.wire.onText = (text) => {
      rest += text;
      let end = 0;
      for (const match of rest.matchAll(/ id='(?:n(\d+)|(between))'/g)) {
        if (match[2] !== undefined) healthy = true;
        else seen.push(Number(match[1]));
        end = match.index + match[0].length;
      }
      rest = rest.slice(end);
    };
    const flood = (async () => {
      for (let n = 0; n < 20_000; n += 100) {
        const piece = Array.from(
          { length: 100 },
          (_, m) => `<message from='a@${domain}' to='eva@coluc.com' id='n${n + m}'/>`,
        ).join('');
        await wire.pour(piece);
      }
    })();
    const between = ground.freshDomain();
    const other = await authenticated(box, between, box.peerAddress(5));
    other.send(`<message from='a@${between}' to='eva@coluc.com' id='between'/>`);
    await expect.poll(() => healthy, { timeout: 1_000 }).toBe(true);
    await flood;
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(20_000);
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
    home.wire.onText = undefined;
    home.wire.recording = true;
    other.destroy();
    wire.destroy();
  });

  it('stanzas from the home for 300 domains that do not exist are all answered', async () => {
    const ground = here();
    for (let n = 0; n < 300; n++) ground.sendTo(`nowhere${n}.invalid`);
    await expect.poll(() => ground.box.home.received.split("type='error'").length - 1, { timeout: 8_000 }).toBe(300);
    ground.box.home.wire.text = '';
  });
});
