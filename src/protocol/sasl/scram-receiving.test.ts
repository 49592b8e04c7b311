import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareLocal } from '../jid/prepare.ts';
import type { ScramHash, ScramKeys } from './scram-keys.ts';
import { readClientFinal, readClientFirst } from './scram-messages.ts';
import { type ScramCrypto, type ScramFacts, ScramReceiving } from './scram-receiving.ts';

const NAMES = { 'sha-1': 'sha1', 'sha-256': 'sha256' } as const;
const CRYPTO: ScramCrypto = {
  hmac: (hash, key, data) => createHmac(NAMES[hash], key).update(data).digest(),
  digest: (hash, data) => createHash(NAMES[hash]).update(data).digest(),
  equal: (one, other) => one.length === other.length && timingSafeEqual(one, other),
};

/** What the server keeps of `pencil`. */
function keys(hash: ScramHash, salt: string): ScramKeys {
  const bytes = Buffer.from(salt, 'base64');
  const salted = pbkdf2Sync('pencil', bytes, 4096, hash === 'sha-1' ? 20 : 32, NAMES[hash]);
  const clientKey = CRYPTO.hmac(hash, salted, Buffer.from('Client Key'));
  return {
    salt: bytes,
    iterations: 4096,
    storedKey: CRYPTO.digest(hash, clientKey),
    serverKey: CRYPTO.hmac(hash, salted, Buffer.from('Server Key')),
  };
}

/** The exchanges of RFC 5802 §5 and RFC 7677 §3. */
const VECTORS = {
  'sha-1': {
    salt: 'QSXCR+Q6sek8bf92',
    first: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    nonce: '3rfcNHYJY1ZVvWVs7j',
    challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    final: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  'sha-256': {
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
} as const;

function exchange(hash: ScramHash, more: Partial<ScramFacts> = {}): ScramReceiving {
  const { salt, nonce } = VECTORS[hash];
  return new ScramReceiving({
    hash,
    plus: false,
    bindings: {},
    crypto: CRYPTO,
    nonce,
    prepare: prepareLocal,
    isOwn: (authzid, username) => authzid === `${username}@example.com`,
    keysOf: () => ({ keys: keys(hash, salt), exists: true }),
    ...more,
  });
}

/** The final message of a client that knows `pencil`. */
function finalFor(hash: ScramHash, first: string, challenge: string, gs2: string, data = Buffer.alloc(0)): string {
  const { salt } = VECTORS[hash];
  const salted = pbkdf2Sync('pencil', Buffer.from(salt, 'base64'), 4096, hash === 'sha-1' ? 20 : 32, NAMES[hash]);
  const clientKey = CRYPTO.hmac(hash, salted, Buffer.from('Client Key'));
  const nonce = /^r=([^,]+)/.exec(challenge)?.[1] ?? '';
  const without = `c=${Buffer.concat([Buffer.from(gs2), data]).toString('base64')},r=${nonce}`;
  const transcript = Buffer.from(`${first.slice(gs2.length)},${challenge},${without}`);
  const signature = CRYPTO.hmac(hash, CRYPTO.digest(hash, clientKey), transcript);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  return `${without},p=${proof.toString('base64')}`;
}

describe.each(['sha-1', 'sha-256'] as const)('SCRAM with %s', (hash) => {
  const vector = VECTORS[hash];

  test('the exchange of the specification succeeds, with its very bytes', () => {
    const scram = exchange(hash);
    expect(scram.first(vector.first)).toEqual({ step: 'challenge', message: vector.challenge, username: 'user' });
    expect(scram.final(vector.final)).toEqual({ step: 'success', message: vector.signature, username: 'user' });
  });

  test('a proof that is right for one exchange is wrong for another', () => {
    const scram = exchange(hash, { nonce: 'another' });
    scram.first(vector.first);
    expect(scram.final(vector.final)).toMatchObject({ step: 'failure', condition: 'not-authorized' });
  });

  test('a final message counts once', () => {
    const scram = exchange(hash);
    scram.first(vector.first);
    scram.final(vector.final);
    expect(scram.final(vector.final)).toMatchObject({ step: 'failure', condition: 'malformed-request' });
  });

  test('the right proof of a user who does not exist any more is refused', () => {
    const scram = exchange(hash, { keysOf: () => ({ keys: keys(hash, vector.salt), exists: false }) });
    scram.first(vector.first);
    expect(scram.final(vector.final)).toMatchObject({ step: 'failure', condition: 'not-authorized' });
  });

  test('any other proof is refused, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (proof) => {
        const scram = exchange(hash);
        scram.first(vector.first);
        const final = vector.final.replace(/p=.*/, `p=${Buffer.from(proof).toString('base64')}`);
        expect(scram.final(final)).toMatchObject({ step: 'failure' });
      }),
      { numRuns: 100 },
    );
  });
});

describe('channel binding (RFC 5802 §6)', () => {
  const bindings = { 'tls-exporter': Uint8Array.of(1, 2, 3), 'tls-server-end-point': Uint8Array.of(4, 5) };
  const bare = 'n=user,r=fyko+d2lbbFgONRv9qkxdawL';

  test.each(['tls-exporter', 'tls-server-end-point'] as const)('%s binds the exchange to the connection', (type) => {
    const gs2 = `p=${type},,`;
    const step = exchange('sha-1', { plus: true, bindings });
    const challenge = step.first(gs2 + bare);
    if (challenge.step !== 'challenge') throw new Error(JSON.stringify(challenge));
    const final = finalFor('sha-1', gs2 + bare, challenge.message, gs2, Buffer.from(bindings[type]));
    expect(step.final(final)).toMatchObject({ step: 'success' });
  });

  test('the data of another connection are refused, although the password is right', () => {
    const gs2 = 'p=tls-exporter,,';
    const step = exchange('sha-1', { plus: true, bindings });
    const challenge = step.first(gs2 + bare);
    if (challenge.step !== 'challenge') throw new Error(JSON.stringify(challenge));
    const final = finalFor('sha-1', gs2 + bare, challenge.message, gs2, Buffer.from([9, 9, 9]));
    expect(step.final(final)).toMatchObject({ step: 'failure', condition: 'not-authorized' });
  });

  test('a client that could bind and was not offered to is told by `y`: refused where we did offer it', () => {
    expect(exchange('sha-1', { bindings }).first(`y,,${bare}`)).toMatchObject({ condition: 'not-authorized' });
    expect(exchange('sha-1').first(`y,,${bare}`)).toMatchObject({ step: 'challenge' });
  });

  test('the mechanism and the flag must agree', () => {
    expect(exchange('sha-1', { plus: true, bindings }).first(`n,,${bare}`)).toMatchObject({
      condition: 'malformed-request',
    });
    expect(exchange('sha-1', { bindings }).first(`p=tls-exporter,,${bare}`)).toMatchObject({
      condition: 'malformed-request',
    });
  });

  test.each(['tls-unique', 'constructor', 'toString'])('%s is not offered', (type) => {
    expect(exchange('sha-1', { plus: true, bindings }).first(`p=${type},,${bare}`)).toMatchObject({
      condition: 'not-authorized',
    });
  });
});

describe('names', () => {
  test('an authorization identity is the user, or refused', () => {
    expect(exchange('sha-1').first('n,a=user@example.com,n=user,r=x')).toMatchObject({ step: 'challenge' });
    expect(exchange('sha-1').first('n,a=admin@example.com,n=user,r=x')).toMatchObject({ condition: 'invalid-authzid' });
  });

  test('a name is prepared before it is looked up, and comma and equals sign are unescaped', () => {
    expect(exchange('sha-1').first('n,,n=Alice,r=x')).toMatchObject({ username: 'alice' });
    expect(exchange('sha-1').first('n,,n=a=2Cb=3Dc,r=x')).toMatchObject({ username: 'a,b=c' });
    expect(exchange('sha-1').first('n,,n=a@b,r=x')).toMatchObject({ condition: 'not-authorized' });
  });
});

describe('messages', () => {
  test.each([
    '',
    'n',
    'n,,',
    'n,,n=user',
    'n,,n=,r=x',
    'n,,n=user,r=',
    'n,,r=x,n=user',
    'x,,n=user,r=x',
    'n,a=,n=user,r=x',
    'n,,m=ext,n=user,r=x',
    'n,,n=us=er,r=x',
    'n,,n=user,r=a b',
    'n,,n=user,r=x,',
    'n,,n=user,r=x,extra',
    'p=,,n=user,r=x',
    'n,,n=us\0er,r=x',
    'N,,n=user,r=x',
    'n,,n=user,r=x\n',
  ])('%j is no first message', (message) => {
    expect(readClientFirst(message)).toBeUndefined();
  });

  test.each([
    '',
    'c=biws',
    'c=biws,r=x',
    'r=x,c=biws,p=AA==',
    'c=,r=x,p=AA==',
    'c=biws,r=x,p=',
    'c=biws,r=x,p=A',
    'c=biws,r=x,p=AA==,x=y',
    'c=bi ws,r=x,p=AA==',
    'c=biws,r=,p=AA==',
    'c=biws,p=AA==,r=x',
  ])('%j is no final message', (message) => {
    expect(readClientFinal(message)).toBeUndefined();
  });

  test('an extension that need not be understood is taken', () => {
    expect(readClientFirst('n,,n=user,r=x,q=1')).toMatchObject({ username: 'user', nonce: 'x' });
    expect(readClientFinal('c=biws,r=x,q=1,p=AA==')).toMatchObject({ withoutProof: 'c=biws,r=x,q=1' });
  });

  test('reading is total, and whatever it takes it takes apart without losing a character', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'n',
        'y',
        'p=',
        ',',
        'a=',
        'n=',
        'r=',
        'c=',
        'm=',
        '=2C',
        '=',
        'biws',
        'user',
        'tls-exporter',
        '\0',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const keepsAll = fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => !loses(pieces.join('')));
    expect(fc.check(keepsAll, { numRuns: 3000 })).toMatchObject({ failed: false });
  });

  test('a long message is read in a time that grows with its length alone', () => {
    const started = performance.now();
    readClientFirst(`n,,n=user,r=${'x'.repeat(10_000)}${',a=b'.repeat(2000)},`);
    readClientFirst(`n,a=${'=2C'.repeat(10_000)},n=`);
    readClientFinal(`c=${'A'.repeat(20_000)},r=x${',a=b'.repeat(2000)},p=!`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

/** Whether a part of a message is lost that reading takes. */
function loses(message: string): boolean {
  const first = readClientFirst(message);
  const final = readClientFinal(message);
  return (
    (first !== undefined && first.gs2Header + first.bare !== message) ||
    (final !== undefined && !message.startsWith(`${final.withoutProof},p=`))
  );
}
