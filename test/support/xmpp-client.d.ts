/** What the tests use of `@xmpp/client`, which brings no types. */
declare module '@xmpp/client' {
  export interface Element {
    is(name: string): boolean;
    getChildText(name: string): string | null;
    /** As XML. */
    toString(): string;
  }
  export interface Client {
    on(event: 'error', told: (error: Error) => void): void;
    on(event: 'stanza', told: (stanza: Element) => void): void;
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(stanza: Element): Promise<void>;
    readonly reconnect: { stop(): void };
    readonly reconnect: { stop(): void };
  }
  export function client(options: {
    readonly service: string;
    readonly domain: string;
    readonly username: string;
    readonly password: string;
  }): Client;
  export function xml(
    name: string,
    attributes?: Readonly<Record<string, string>>,
    ...children: readonly (string | Element)[]
  ): Element;
}
