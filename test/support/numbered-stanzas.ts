import type { Flow, Recorder } from './ledger.ts';

/** A numbered message of a flow. `id` is the flow and the number, so that whoever gets it back knows which one it was. */
export function numberedMessage(flow: Flow, number: number): string {
  const [from = '', to = ''] = flow.split('>');
  return `<message from='anna@${from}/phone' to='ben@${to}/desk' type='chat' id='${from}/${to}/${number}'><body>Message ${number}: the meeting moved to three because of the train from Bern, so please bring the draft.</body></message>`;
}

/** Cuts the text of a stream, after its header, into first-level elements. What the peers of the tests are sent has no comments and no CDATA. */
export class ElementCutter {
  private rest = '';
  private readonly take: (element: string) => void;

  /** `take` gets every element, and `</stream:stream>`. */
  constructor(take: (element: string) => void) {
    this.take = take;
  }

  push(text: string): void {
    this.rest += text;
    let at = 0;
    for (;;) {
      while (this.rest.charCodeAt(at) <= 0x20) at += 1;
      const end = endOfElement(this.rest, at);
      if (end === undefined) break;
      this.take(this.rest.slice(at, end));
      at = end;
    }
    this.rest = this.rest.slice(at);
  }
}

/** Where the element that begins at `at` ends; `undefined`: not all of it is there. */
function endOfElement(text: string, at: number): number | undefined {
  const tagEnd = text.indexOf('>', at);
  if (tagEnd === -1) return undefined;
  const name = /^<(\/?[^\s/>]+)/.exec(text.slice(at, tagEnd + 1))?.[1];
  if (name === undefined) throw new Error(`not an element: ${text.slice(at, at + 100)}`);
  if (name.startsWith('/') || text[tagEnd - 1] === '/') return tagEnd + 1;
  const closing = `</${name}>`;
  const end = text.indexOf(closing, tagEnd);
  return end === -1 ? undefined : end + closing.length;
}

/** Writes down what a peer was given: a numbered message, or one of its own that came back. `self` is the domain of the peer. */
export function recordElement(xml: string, self: string, recorder: Recorder): void {
  const tag = xml.slice(0, xml.indexOf('>') + 1);
  const id = attributeIn(tag, 'id') ?? '';
  const [from = '', to = '', digits = ''] = id.split('/');
  const number = Number(digits);
  const isError = attributeIn(tag, 'type') === 'error';
  const writer = isError ? to : from;
  const reader = isError ? from : to;
  const isRight =
    tag.startsWith('<message ') &&
    number > 0 &&
    reader === self &&
    domainIn(attributeIn(tag, 'from')) === writer &&
    domainIn(attributeIn(tag, 'to')) === reader;
  if (!isRight) recorder.strange(`${self} was given ${xml.slice(0, 400)}`);
  else if (isError) {
    const condition = /<error[^>]*>\s*<([a-z-]+)[\s/>]/.exec(xml)?.[1] ?? 'none';
    recorder.bounced(`${from}>${to}`, number, { condition, text: /<text[^>]*>([^<]*)</.exec(xml)?.[1] ?? '' });
  } else if (xml.includes(`<body>Message ${digits}: `)) recorder.arrived(`${from}>${to}`, number);
  else recorder.strange(`${self} was given another body with number ${digits}: ${xml.slice(0, 400)}`);
}

function attributeIn(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}=(?:'([^']*)'|"([^"]*)")`).exec(tag);
  return found?.[1] ?? found?.[2];
}

function domainIn(address: string | undefined): string | undefined {
  return address?.replace(/^[^@/]*@/, '').replace(/\/.*$/, '');
}
