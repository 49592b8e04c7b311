import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NetworkStage, StreamEnd } from './end.ts';
import { codeOf, sentenceOf } from './sentence.ts';
import { STREAM_ERROR_CONDITIONS } from './stream/stream-error.ts';

const STAGES: readonly NetworkStage[] = ['idna', 'dns', 'no-service', 'tcp', 'tls'];

/** Every shape of end, with `text` wherever somebody else's words can be. */
function everyEnd(text: string): readonly StreamEnd[] {
  return [
    ...STREAM_ERROR_CONDITIONS.map((condition): StreamEnd => ({ by: 'us', condition, text })),
    ...STREAM_ERROR_CONDITIONS.map((condition): StreamEnd => ({ by: 'them', condition, text })),
    { by: 'dialback', failure: { answer: 'invalid' } },
    { by: 'dialback', failure: { answer: 'error', condition: 'item-not-found' } },
    { by: 'dialback', failure: { answer: 'none' } },
    ...STAGES.map((stage): StreamEnd => ({ by: 'network', stage, detail: text })),
    { by: 'policy', because: text },
    { by: 'authentication', because: text },
    { by: 'timeout', waitingFor: text },
    { by: 'link', detail: text },
    { by: 'link', detail: text, inDoubt: true },
    { by: 'close' },
    { by: 'disconnect', detail: text },
  ];
}

describe('sentenceOf', () => {
  test('makes one complete sentence of every end', () => {
    for (const end of everyEnd('detail')) expect(sentenceOf(end)).toMatch(/^[A-Z][^.\n]+\.$/);
  });

  test('E-10: no detail, address or peer text reaches the sentence, whatever it is', () => {
    const plain = everyEnd('').map(sentenceOf);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(everyEnd(text).map(sentenceOf)).toEqual(plain);
      }),
    );
  });
});

describe('codeOf', () => {
  test('gives every kind of end a name of its own', () => {
    const codes = everyEnd('detail').map(codeOf);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('is made of lower-case words and hyphens only, so that it fits a metric label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const end of everyEnd(text)) expect(codeOf(end)).toMatch(/^[a-z-]+$/);
      }),
    );
  });
});
