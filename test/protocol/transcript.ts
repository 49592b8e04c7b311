import type { Note } from '../../src/protocol/notes.ts';
import type { Direction } from './wire.ts';

/** Everything that was said on all wires, and what the streams told about it, in order. */
export class Transcript {
  private readonly lines: string[] = [];
  private wire = '';

  wrote(wire: string, from: Direction, xml: string): void {
    this.on(wire, `${from}: ${xml}`);
  }

  closed(wire: string, side: Direction): void {
    this.on(wire, `${side}: [ends TCP]`);
  }

  noted(wire: string, by: Direction, note: Note): void {
    const told = inWords(note);
    if (told !== undefined) this.on(wire, `   (${by} ${told})`);
  }

  says(what: string): void {
    this.lines.push(`-- ${what}`);
    this.wire = '';
  }

  /** To be read aloud; a line that names the wire comes first, and again whenever another is spoken on. */
  toString(): string {
    return `${this.lines.join('\n')}\n`;
  }

  private on(wire: string, line: string): void {
    if (wire !== this.wire) this.lines.push(`${this.lines.length === 0 ? '' : '\n'}[${wire}]`);
    this.wire = wire;
    this.lines.push(line);
  }
}

/** What a reader wants to know beside the bytes; what merely repeats them is left out. */
function inWords(note: Note): string | undefined {
  switch (note.note) {
    case 'authorized':
      return `authorizes ${note.sender} to send to ${note.target}, by ${note.by}`;
    case 'refused':
      return `refuses ${note.sender} to send to ${note.target}: ${JSON.stringify(note.because)}`;
    case 'ignored':
      return `ignores ${note.what}`;
    case 'external-not-offered':
      return `does not offer EXTERNAL: ${note.because}`;
    case 'external-failed':
      return `notes that EXTERNAL failed: ${note.condition}${note.text === undefined ? '' : `, ${note.text}`}`;
    case 'secured':
      return `has TLS; the other showed ${note.tls.peer?.subject ?? 'no certificate'}`;
    case 'not-secured':
      return `has no TLS: ${note.detail}`;
    case 'state-changed':
      return `${note.from} -> ${note.to}`;
    case 'verify-answered':
      return `answers as authoritative server: ${note.because}`;
    case 'verify-stream-closing':
      return 'closing stream used for dialback only';
    case 'dialback-sent':
      return `schedules dialback timeout in ${note.timeoutSeconds} secs`;
    case 'dropped':
      return `drops a ${note.kind}: ${note.because}`;
    default:
      return undefined;
  }
}
