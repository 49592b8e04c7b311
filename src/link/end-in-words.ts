import type { StreamEnd } from '../protocol/end.ts';

/** Why a connection of a Link is over, as a clause for status and for the reasons of what comes after it. */
export function endInWords(end: StreamEnd): string {
  switch (end.by) {
    case 'us':
      return `closed from here with the error ${end.condition}${textOf(end.text)}`;
    case 'them':
      return `closed by the other end with the error ${end.condition}${textOf(end.text)}`;
    case 'network':
    case 'link':
      return end.detail;
    case 'policy':
    case 'authentication':
      return end.because;
    case 'timeout':
      return `nothing came while waiting for ${end.waitingFor}`;
    case 'close':
      return 'it was closed in good order';
    case 'disconnect':
      return end.detail ?? 'the connection went away without a word';
    case 'dialback':
      return 'dialback failed';
  }
}

function textOf(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `: ${text.replace(/\.$/, '')}`;
}
