import { SaxesParser } from 'saxes';

/** An element received by a test client. */
export interface Element {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** The character data directly inside, joined. */
  readonly text: string;
}

type Building = { -readonly [K in keyof Element]: Element[K] } & { children: Element[] };

export interface ElementStream {
  write(text: string): void;
}

/** What an {@link ElementStream} reports. */
export interface ElementEvents {
  root(element: Element): void;
  element(element: Element): void;
  footer(): void;
  /** Not well-formed; nothing is reported after this. */
  fault(reason: string): void;
}

/** Reads one XML stream strictly (namespaces, well-formedness): a server or fedway that emits anything else fails the test. */
export function readElements(events: ElementEvents): ElementStream {
  const parser = new SaxesParser({ xmlns: true });
  const open: Building[] = [];
  let broken = false;
  parser.on('error', (error) => {
    if (!broken) events.fault(error.message);
    broken = true;
  });
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {};
    for (const { name, value, prefix } of Object.values(tag.attributes)) {
      if (prefix !== 'xmlns' && name !== 'xmlns') attributes[name] = value;
    }
    const element: Building = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' };
    if (open.length > 1) open.at(-1)?.children.push(element);
    open.push(element);
    if (open.length === 1 && !broken) events.root(element);
  });
  parser.on('text', (text) => {
    const parent = open.at(-1);
    if (parent !== undefined && open.length > 1) parent.text += text;
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element === undefined || broken) return;
    if (open.length === 1) events.element(element);
    if (open.length === 0) events.footer();
  });
  return {
    write(text) {
      if (!broken) parser.write(text);
    },
  };
}

/** The first child with this name, in this namespace if one is given. */
export function child(element: Element | undefined, name: string, namespace?: string): Element | undefined {
  return element?.children.find((one) => one.name === name && (namespace === undefined || one.namespace === namespace));
}

/** Text for between tags or inside an attribute. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** As XML again, for error messages; namespaces are written where they change. */
export function toXml(element: Element, outer = ''): string {
  const attributes = Object.entries(element.attributes).map(([name, value]) => ` ${name}='${escape(value)}'`);
  const namespace = element.namespace === outer ? '' : ` xmlns='${element.namespace}'`;
  const inside = escape(element.text) + element.children.map((one) => toXml(one, element.namespace)).join('');
  return `<${element.name}${namespace}${attributes.join('')}${inside === '' ? '/>' : `>${inside}</${element.name}>`}`;
}
