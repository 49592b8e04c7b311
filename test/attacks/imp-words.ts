/** What clients, Cores and administrators of an attacked node say, and the secrets they have. */
export const DOMAIN = 'coluc.com';
export const ROOMS = 'chat.coluc.com';
export const ROUTER_SECRET = 'Router-Secret-4711-of-this-node';
export const AXL_USER = 'axladmin';
export const AXL_PASSWORD = 'Axl-Secret-0815-of-this-node';

export const STREAM = `<?xml version='1.0'?><stream:stream to='${DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
export const FRAMING = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'";
export const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
export const SM = "xmlns='urn:xmpp:sm:3'";

export function passwordOf(user: string): string {
  return `Pass-Word-of-${user}-9`;
}

export function plain(user: string, password: string = passwordOf(user)): string {
  return `<auth ${SASL} mechanism='PLAIN'>${base64(`\0${user}\0${password}`)}</auth>`;
}

export function bind(resource: string): string {
  return `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
