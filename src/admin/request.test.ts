import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRequest } from './request.ts';
import type { AdminRequest } from './wire.ts';

const text = fc.string({ minLength: 1, maxLength: 40 });
const more = <T extends object>(given: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(given, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

/** Requests as commands make them. */
const requests: fc.Arbitrary<AdminRequest> = fc.oneof(
  fc.record({
    do: fc.constantFrom(
      'hello' as const,
      'streams' as const,
      'config-list' as const,
      'link-list' as const,
      'publisher-list' as const,
    ),
  }),
  fc.record({ do: fc.constant('status' as const), reach: fc.constantFrom('here' as const, 'everywhere' as const) }),
  fc.record({ do: fc.constant('close-stream' as const), author: text, connection: text, reason: text }),
  fc.record({ do: fc.constant('config-log' as const), limit: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({ do: fc.constant('link-join' as const), author: text, token: text }),
  fc.record({ do: fc.constant('link-revoke' as const), author: text, name: text }),
  fc
    .tuple(fc.record({ do: fc.constant('publisher-refresh' as const), author: text }), more({ name: text }))
    .map(([must, may]) => ({ ...must, ...may })),
  fc
    .tuple(
      fc.record({
        do: fc.constant('link-invite' as const),
        author: text,
        name: text,
        domains: fc.array(text),
        validForMs: fc.integer({ min: 1, max: 1e9 }),
      }),
      more({ address: text }),
    )
    .map(([must, may]) => ({ ...must, ...may })),
  fc
    .tuple(
      fc.record({
        do: fc.constant('config-change' as const),
        author: text,
        reason: text,
        steps: fc.array(
          fc.oneof(
            fc.record({ put: text, value: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<null> }),
            fc.record({ remove: text }),
          ),
        ),
      }),
      more({ edge: text, expect: fc.dictionary(text, fc.nat()) }),
    )
    .map(([must, may]) => ({ ...must, ...may })),
);

const plain = requests.map((request) => JSON.parse(JSON.stringify(request, withoutControls)) as AdminRequest);

/** What a command never sends: see the test of refusals. */
function withoutControls(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, '.') : value;
}

describe('readRequest', () => {
  test('every request that can be made is read as it was made', () => {
    fc.assert(
      fc.property(plain, (request) => {
        expect(readRequest(JSON.stringify({ wire: 1, ...request }))).toEqual({ request });
      }),
    );
  });

  test('no line at all makes it throw, and what it takes is what it was given', () => {
    const lines = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .tuple(plain, fc.dictionary(text, fc.jsonValue()))
        .map(([request, junk]) => JSON.stringify({ wire: 1, ...request, ...junk })),
    );
    fc.assert(
      fc.property(lines, (line) => {
        const read = readRequest(line);
        const fair =
          'request' in read
            ? isDeepStrictEqual({ wire: 1, ...read.request }, JSON.parse(line))
            : read.refused.endsWith('.');
        expect(fair).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['', 'the line is not a JSON object'],
    ['[]', 'the line is not a JSON object'],
    ['{"do":"hello"}', 'and the request is of none'],
    ['{"wire":2,"do":"hello"}', 'and the request is of version 2'],
    ['{"wire":1}', '"do" is missing'],
    ['{"wire":1,"do":7}', '"do" is not a text'],
    ['{"wire":1,"do":"toString"}', '"toString" is nothing that can be done'],
    ['{"wire":1,"do":"status"}', '"reach" is missing'],
    ['{"wire":1,"do":"status","reach":"moon"}', '"reach" is not one of here, everywhere'],
    ['{"wire":1,"do":"streams","rech":1}', 'there is no field "rech"'],
    ['{"wire":1,"do":"config-log","limit":0.5}', '"limit" is not a whole number from 1 to 100000'],
    ['{"wire":1,"do":"link-join","author":"a","token":"a\\nb"}', '"token" has a control character in it'],
    ['{"wire":1,"do":"link-join","author":"a","token":"\\ud800"}', '"token" has half a character in it'],
    [
      `{"wire":1,"do":"link-join","author":"a","token":"${'x'.repeat(8193)}"}`,
      '"token" is longer than 8192 characters',
    ],
    ['{"wire":1,"do":"config-change","author":"a","reason":"","steps":{}}', '"steps" is not a list of at most 100000'],
    ['{"wire":1,"do":"config-change","author":"a","reason":"","steps":[1]}', '"steps[0]" is not an object'],
    ['{"wire":1,"do":"config-change","author":"a","reason":"","steps":[{"put":"a"}]}', '"steps[0].value" is missing'],
    [
      '{"wire":1,"do":"config-change","author":"a","reason":"","steps":[{"remove":"a","value":1}]}',
      'there is no field "steps[0].value"',
    ],
    [
      '{"wire":1,"do":"config-change","author":"a","reason":"","steps":[],"expect":{"tls":-1}}',
      '"expect.tls" is not a whole number',
    ],
    [
      `{"wire":1,"do":"config-change","author":"a","reason":"","steps":[{"put":"a","value":${'['.repeat(20)}${']'.repeat(20)}}]}`,
      '"steps[0].value" is nested too deep',
    ],
    [
      '{"wire":1,"do":"link-invite","author":"a","name":"b","domains":["a",1],"validForMs":1}',
      '"domains.1" is not a text',
    ],
  ])('%s is refused with the place', (line, why) => {
    expect(readRequest(line)).toEqual({ refused: expect.stringContaining(why) as string });
  });

  test('a value nested a million times is refused, and does not exhaust the stack', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    const line = `{"wire":1,"do":"config-change","author":"a","reason":"","steps":[{"put":"a","value":${deep}}]}`;
    expect(readRequest(line)).toMatchObject({ refused: expect.stringContaining('not understood') as string });
  });
});
