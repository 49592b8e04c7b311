/** What the raw peers of the tests say, and how to read what they hear. */

export interface HeaderParts {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly id?: string;
  readonly version?: string | undefined;
  readonly lang?: string;
  readonly xmlns?: string;
  readonly more?: string;
}

/** A stream header of a peer: version 1.0 unless told otherwise. */
export function header(parts: HeaderParts): string {
  const { version = '1.0', xmlns = 'jabber:server', more = '' } = parts;
  let xml = `<?xml version='1.0'?><stream:stream xmlns='${xmlns}' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'`;
  if (parts.from !== undefined) xml += ` from='${parts.from}'`;
  if (parts.to !== undefined) xml += ` to='${parts.to}'`;
  if (parts.id !== undefined) xml += ` id='${parts.id}'`;
  if (version !== '') xml += ` version='${version}'`;
  if (parts.lang !== undefined) xml += ` xml:lang='${parts.lang}'`;
  return `${xml}${more}>`;
}

export const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
export const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
export const TLS_FAILURE = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
export const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
export const SUCCESS = `<success ${SASL}/>`;
export const EXTERNAL = `<mechanisms ${SASL}><mechanism>EXTERNAL</mechanism></mechanisms>`;
export const DIALBACK = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

export function features(...children: readonly string[]): string {
  return `<stream:features>${children.join('')}</stream:features>`;
}

export function auth(authzid: string | undefined, mechanism = 'EXTERNAL'): string {
  const text = authzid === undefined ? '' : Buffer.from(authzid).toString('base64');
  return `<auth ${SASL} mechanism='${mechanism}'>${text}</auth>`;
}

export function result(from: string, to: string, key: string): string {
  return `<db:result from='${from}' to='${to}'>${key}</db:result>`;
}

export function verify(from: string, to: string, id: string, key: string): string {
  return `<db:verify from='${from}' to='${to}' id='${id}'>${key}</db:verify>`;
}

export function message(from: string, to: string, body = 'hello'): string {
  return `<message from='${from}' to='${to}'><body>${body}</body></message>`;
}

/** The attribute of the last stream header in a text. */
export function headerAttribute(text: string, name: string): string | undefined {
  const at = text.lastIndexOf('<stream:stream ');
  const tag = text.slice(at, text.indexOf('>', at));
  return at === -1 ? undefined : new RegExp(` ${name}='([^']*)'`).exec(tag)?.[1];
}

/** The condition of the stream error in a text. */
export function streamError(text: string): string | undefined {
  return /<stream:error><([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-streams'\/>/.exec(text)?.[1];
}

/** The condition of the dialback error in a text. */
export function dialbackError(text: string): string | undefined {
  return /<db:\w+ [^>]*type='error'><error type='[a-z]+'><([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'\/>(?:<text [^>]*>[^<]*<\/text>)?<\/error><\/db:\w+>/.exec(
    text,
  )?.[1];
}

/** The condition of the SASL failure in a text. */
export function saslFailure(text: string): string | undefined {
  return /<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><([a-z-]+)\/><\/failure>/.exec(text)?.[1];
}
