import { once } from 'node:events';
import { expect, it } from 'vitest';
import { socketPair } from '../../../test/support/socket-pair.ts';
import { accepting, strangeClient } from '../../../test/support/tls-peers.ts';
import type { StreamEnd } from '../../protocol/end.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { Note } from '../../protocol/notes.ts';
import type { PureStream, StreamAction, StreamEvent } from '../../protocol/stream/actions.ts';
import { StreamDriver, type StreamOwner } from './stream-driver.ts';

const START_TLS: StreamAction = {
  do: 'start-tls',
  as: 'server',
  direct: false,
  domain: 'coluc.com' as Domain,
  local: undefined,
};

/** A stream that does what the test says for an event, and ends when the connection does. */
function streamThat(...script: readonly (readonly [StreamEvent['type'], StreamAction])[]): PureStream {
  return {
    receive: () => [],
    handle: (event) => {
      if (event.type === 'disconnected') return [{ do: 'ended', end: { by: 'disconnect' } }];
      if (event.type === 'not-secured')
        return [{ do: 'ended', end: { by: 'network', stage: 'tls', detail: event.detail } }];
      return script.flatMap(([type, action]) => (type === event.type ? [action] : []));
    },
  };
}

function owner(changes: Partial<StreamOwner>): StreamOwner {
  return {
    startTls: () => Promise.resolve({ failed: 'not in this test' }),
    verify: () => undefined,
    answer: () => undefined,
    authorized: () => undefined,
    refused: () => undefined,
    ended: () => undefined,
    subject: () => ({}),
    ...changes,
  };
}

function failing(): Promise<never> {
  return Promise.reject(new Error('a certificate nobody thought of'));
}

it('a fault of ours in the TLS handshake ends the one connection, is told, and rejects nothing', async () => {
  await using pair = await socketPair();
  const notes: Note[] = [];
  const ended = Promise.withResolvers<StreamEnd>();
  const driver = new StreamDriver(
    streamThat(['connected', START_TLS]),
    pair.receiving,
    owner({ startTls: failing, ended: ended.resolve }),
    (note) => notes.push(note),
  );
  driver.start();
  expect(await ended.promise).toMatchObject({ by: 'network', stage: 'tls' });
  await driver.gone;
  expect(notes).toContainEqual(expect.objectContaining({ note: 'bug', where: 'TLS' }));
});

it('K-12: a connection that was gone before anybody listened ends at once, and is not counted for ever', async () => {
  await using pair = await socketPair();
  const closed = once(pair.receiving, 'close');
  pair.receiving.destroy();
  await closed;
  const ends: StreamEnd[] = [];
  const driver = new StreamDriver(streamThat(), pair.receiving, owner({ ended: (end) => ends.push(end) }), () => 0);
  driver.start();
  expect(ends).toEqual([{ by: 'disconnect' }]);
  await driver.gone;
});

it('a stream that is over before its handshake closes the connection when the handshake ends, and the process survives it', async () => {
  for (let round = 0; round < 50; round++) {
    await using pair = await socketPair();
    const end: StreamEnd = { by: 'policy', because: 'the partner was denied meanwhile' };
    const driver = new StreamDriver(
      streamThat(['connected', START_TLS], ['close', { do: 'ended', end }]),
      pair.receiving,
      owner({ startTls: (socket) => accepting(socket) }),
      () => undefined,
    );
    driver.start();
    driver.handle({ type: 'close', why: 'policy', because: 'denied' });
    const client = strangeClient(pair.initiating, {});
    client.once('secureConnect', () => client.write('<stream:stream>'));
    await once(client, 'close');
    await driver.gone;
    expect(pair.receiving.destroyed).toBe(true);
  }
});
