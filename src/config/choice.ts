import type { Parsed } from './measure.ts';
import { nearest } from './nearest.ts';
import { quote } from './problem.ts';

/** Words of which one is chosen. Each comes with what it is for: it completes `Write "required" ...`. */
export type Options<W extends string> = Readonly<Record<W, string>>;

/** `one of required, optional, none`. */
export function expectsOf<W extends string>(options: Options<W>): string {
  const names = Object.keys(options);
  return names.length > 1 ? `one of ${names.join(', ')}` : names.join('');
}

/** The word, or which one was probably meant and what each is for. */
export function parseChoice<const W extends string>(
  options: Options<W>,
  written: string | number | boolean,
): Parsed<W> {
  const names = Object.keys(options) as W[];
  const exact = names.find((name) => name === written);
  if (exact !== undefined) return { value: exact };
  const reason = `${quote(written)} is not ${expectsOf(options)}`;
  const meant = nearest(String(written), names) as W | undefined;
  if (meant !== undefined) return { reason, cure: `Write "${meant}" ${options[meant]}.` };
  const advice = names.map((name) => `"${name}" ${options[name]}`);
  const comma = names.length > 2 ? ',' : '';
  const or = names.length > 1 ? `${comma} or ` : '';
  return { reason, cure: `Write ${advice.slice(0, -1).join(', ')}${or}${advice.at(-1) ?? ''}.` };
}

/** What is chosen in the boot file, and in the live settings where there is a data folder. */
export const TLS_MODES = {
  required: 'to insist on TLS',
  optional: 'to use TLS where the other side offers it',
  none: 'to stay in plain text',
} as const;

export const AUTHENTICATIONS = {
  external: 'to believe certificates only (SASL EXTERNAL)',
  dialback: 'to use Server Dialback only',
  either: 'to let a partner prove itself either way',
} as const;
