import { describe, expect, it } from 'vitest';
import { Box } from '../support/box.ts';
import { leaf } from '../support/certificates.ts';
import {
  acceptSecured,
  authenticated,
  FEATURES,
  header,
  openSecured,
  openStream,
  STREAM_ERROR,
} from '../support/peer-streams.ts';
import { PeerServer } from '../support/raw-peer.ts';

/** Ends a line, moves a cursor, changes the direction of writing, ends a quoted value and begins another. */
const HOSTILE =
  'a\n2026-01-01 INJECTED\r\u0085\u009b31m\u2028\u202E\u200B" Level="ERROR" Event="INJECTED\' \\" \\n ${x} %s';
const ASIS = HOSTILE.replaceAll('&', '&amp;')
  .replaceAll('<', '&lt;')
  .replaceAll("'", '&apos;')
  .replaceAll('"', '&quot;')
  .replaceAll('\n', '&#10;')
  .replaceAll('\r', '&#13;');
const CERTIFICATE = `${HOSTILE}\u001b]0;INJECTED\u0007\0`;
/** What no line of a log may contain. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Puts hostile text into every field that a peer controls. */
async function everywhere(box: Box): Promise<void> {
  const attribute = ` xml:lang='${ASIS}' x='${ASIS}' xmlns:y='${ASIS}'`;
  for (const parts of [
    { from: ASIS, to: 'coluc.com' },
    { from: 'a.lab', to: ASIS },
    { from: 'a.lab', to: 'coluc.com', id: ASIS, more: attribute },
    { from: 'a.lab', to: 'coluc.com', version: ASIS },
  ]) {
    const wire = await box.connect();
    wire.send(header(parts));
    await wire.expect(/<\/stream:features>|<\/stream:error>/).catch(() => '');
    wire.destroy();
  }
  const elements = [
    `<x xmlns='${ASIS}' y='${ASIS}'>${ASIS}</x>`,
    `<db:result from='${ASIS}' to='coluc.com'>${ASIS}</db:result>`,
    `<db:result from='injected.lab' to='coluc.com'>${ASIS}</db:result>`,
    `<db:verify from='a.lab' to='coluc.com' id='${ASIS}'>${ASIS}</db:verify>`,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='${ASIS}'>${ASIS}</auth>`,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${Buffer.from(HOSTILE).toString('base64')}</auth>`,
    `<stream:error><undefined-condition xmlns='${STREAM_ERROR}'/><text xmlns='${STREAM_ERROR}'>${ASIS}</text></stream:error>`,
    `<message from='${ASIS}' to='coluc.com' id='${ASIS}'>${ASIS}</message>`,
    HOSTILE,
  ];
  const certificate = leaf(['a.lab', CERTIFICATE], box.root, {
    subject: [
      ['CN', CERTIFICATE],
      ['O', CERTIFICATE],
    ],
  });
  for (const element of elements) {
    const wire = await box.connect();
    await openSecured(wire, { from: 'a.lab', to: 'coluc.com' }, certificate);
    wire.send(element);
    await wire
      .expect(/<\/db:result>|<db:verify[^>]*>|<\/failure>|<\/stream:error>|<\/stream:stream>/, 2_500)
      .catch(() => '');
    wire.destroy();
  }
  const wire = await authenticated(box, 'b.lab');
  wire.send(
    `<x xmlns='${ASIS}'/><message from='b@b.lab/${ASIS}' to='eva@coluc.com/${ASIS}' id='${ASIS}' type='${ASIS}'/>`,
  );
  wire.send(`<message from='${ASIS}' to='eva@coluc.com'/>`);
  await wire.end();
}

/** The same from a server that we dialed, and from DNS. */
async function fromOutside(box: Box): Promise<void> {
  box.dns.script('SRV', '_xmpp-server._tcp.odd.lab', {
    answers: [
      {
        name: '_xmpp-server._tcp.odd.lab',
        type: 'SRV',
        ttl: 60,
        data: { priority: 0, weight: 0, port: 5269, target: '\u001b[31mINJECTED "\n.lab' },
      },
    ],
  });
  box.home.send("<message from='eva@coluc.com' to='a@odd.lab' id='1'/>");
  const answers = [
    `${header({ from: ASIS, id: ASIS, more: ` xml:lang='${ASIS}'` })}<stream:error><host-unknown xmlns='${STREAM_ERROR}'/><text xmlns='${STREAM_ERROR}'>${ASIS}</text></stream:error></stream:stream>`,
    `${header({ from: 's.lab', id: 'x' })}<stream:error><see-other-host xmlns='${STREAM_ERROR}'>${ASIS}</see-other-host></stream:error>`,
    `${header({ from: 's.lab', id: 'x' })}<x xmlns='${ASIS}'>${ASIS}</x>`,
  ];
  const certificate = leaf(['s.lab', CERTIFICATE], box.root, { subject: CERTIFICATE });
  for (const [index, answer] of [...answers, 'sasl', 'dialback'].entries()) {
    const domain = `s${index}.lab`;
    const server = await PeerServer.listen(box.peerAddress(2), async (wire) => {
      if (answer === 'sasl') {
        await acceptSecured(wire, { from: domain }, certificate, FEATURES.external);
        await wire.expect('</auth>');
        wire.send(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>${ASIS}</text></failure>`);
      } else if (answer === 'dialback') {
        await acceptSecured(wire, { from: domain }, certificate, FEATURES.dialback);
        await wire.expect('</db:result>');
        wire.send(`<db:result from='${domain}' to='coluc.com' type='${ASIS}' id='${ASIS}'>${ASIS}</db:result>`);
      } else {
        await wire.expect(/<stream:stream[^>]*>/);
        wire.send(answer);
      }
    });
    box.dns.srv(domain, [0, 0, server.port, `xmpp.${domain}`]).a(`xmpp.${domain}`, server.address);
    box.home.send(`<message from='eva@coluc.com' to='a@${domain}' id='${index}'/>`);
    await expect.poll(() => server.wires[0]?.ended, { timeout: 6_000 }).toBe(true);
    await server[Symbol.asyncDispose]();
  }
  await expect
    .poll(() => box.home.received.split("type='error'").length - 1, { timeout: 4_000 })
    .toBe(answers.length + 3);
}

describe('log injection through every field a peer controls', () => {
  it.each([
    {
      format: 'json',
      network: 71,
      fakesField: /(?<!\\)" Event="/,
      shape: /^\{"time":"\d{4}-[^"]*Z","level":"[a-z]+",.*\}$/,
    },
    // Sentences stand there without quotes: only the beginning of a line is structure.
    { format: 'text', network: 72, fakesField: /^2026-01-01 INJECTED/, shape: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/ },
    {
      format: 'expressway',
      network: 73,
      fakesField: /(?<!\\)" Event="INJECTED/,
      shape: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|^[A-Z][a-z]{2} +\d+ /,
    },
  ])('$format: no line begins, ends or changes as the peer wants', async ({ format, network, fakesField, shape }) => {
    await using box = await Box.start({ network, log: { format, level: 'verbose' } });
    await everywhere(box);
    await fromOutside(box);
    expect(box.log.lines.length).toBeGreaterThan(100);
    const strange = box.log.lines.filter((line) => !shape.test(line) || UNSAFE.test(line));
    expect(strange).toEqual([]);
    // The marker is there, or the test proves nothing.
    const marked = box.log.lines.filter((line) => line.includes('INJECTED'));
    expect(marked.length).toBeGreaterThan(5);
    expect(marked.filter((line) => fakesField.test(line))).toEqual([]);
    expect(box.isAlive()).toBe(true);
  });

  it('the fields of a certificate are cut and escaped', async () => {
    await using box = await Box.start({ network: 74, log: { format: 'text', level: 'verbose' } });
    const wire = await box.connect();
    await openStream(wire, { from: 'a.lab', to: 'coluc.com' });
    wire.destroy();
    const many = Array.from({ length: 300 }, (_, n) => `n${n}.lab`);
    const other = await box.connect();
    await openSecured(
      other,
      { from: 'a.lab', to: 'coluc.com' },
      leaf(['a.lab', ...many], box.root, { subject: 'x'.repeat(5_000) }),
    );
    other.destroy();
    for (const line of box.log.lines) expect(line.length).toBeLessThan(20_000);
  });
});
