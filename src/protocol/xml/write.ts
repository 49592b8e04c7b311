import { escapeAttribute, escapeText } from './escape.ts';
import { CONTENT_NAMESPACES } from './limits.ts';
import { XML_NAMESPACE, XMLNS_NAMESPACE } from './scope.ts';
import type { XmlAttribute, XmlElement, XmlNode, XmlRoot } from './types.ts';
import { isName } from './utf8.ts';

export { escapeAttribute, escapeText } from './escape.ts';

/** The prefixes that our stream headers declare (RFC 6120 §4.8.5, XEP-0220 §2.4.1), for `writeElement`. */
export const STREAM_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['stream', 'http://etherx.jabber.org/streams'],
  ['db', 'jabber:server:dialback'],
]);

const NO_PREFIXES: ReadonlyMap<string, string> = new Map();

/**
 * An element. Attributes that are `undefined` and children that are `undefined` are left out; an attribute is in no namespace, but
 * for `xml:lang` and its like. A name that is no XML name throws a `TypeError`: names are ours, never a peer's.
 */
export function element(
  name: string,
  namespace: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly (XmlNode | undefined)[]
): XmlElement {
  const list: XmlAttribute[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    const isXml = key.startsWith('xml:');
    list.push({ name: checkName(isXml ? key.slice(4) : key), namespace: isXml ? XML_NAMESPACE : '', value });
  }
  return {
    name: checkName(name),
    namespace,
    attributes: list,
    children: children.filter((child) => child !== undefined),
  };
}

/** The first child with this name. */
export function childOf(parent: XmlElement, name: string, namespace: string): XmlElement | undefined {
  for (const child of parent.children) {
    if (typeof child !== 'string' && child.name === name && child.namespace === namespace) return child;
  }
  return undefined;
}

/** The text directly inside, without that of children. */
export function textOf(parent: XmlElement): string {
  return parent.children.filter((child) => typeof child === 'string').join('');
}

/** The value of an attribute, in no namespace unless one is given. */
export function attributeOf(
  parent: Pick<XmlElement, 'attributes'>,
  name: string,
  namespace: string = '',
): string | undefined {
  return parent.attributes.find((attribute) => attribute.name === name && attribute.namespace === namespace)?.value;
}

/**
 * An element as XML, to stand where `defaultNamespace` is the default namespace and `prefixes` are declared.
 *
 * Elements are written without prefix, the namespace declared where it changes, but for those in a namespace of `prefixes`; an
 * element in a content namespace never has a prefix (RFC 6120 §4.8.5). Text and values that XML cannot express are written with
 * U+FFFD in their place. Whoever reads the result has the same tree.
 */
export function writeElement(
  root: XmlElement,
  defaultNamespace: string = '',
  prefixes: ReadonlyMap<string, string> = NO_PREFIXES,
): string {
  const prefix = prefixFor(root.namespace, defaultNamespace, prefixes);
  const name = prefix === '' ? root.name : `${prefix}:${root.name}`;
  const inside = prefix === '' ? root.namespace : defaultNamespace;
  const declaration = inside === defaultNamespace ? '' : ` xmlns='${escapeAttribute(inside)}'`;
  let xml = `<${name}${declaration}${writeAttributes(root.attributes, prefixes)}`;
  if (root.children.length === 0) return `${xml}/>`;
  xml += '>';
  for (const child of root.children) {
    xml += typeof child === 'string' ? escapeText(child) : writeElement(child, inside, prefixes);
  }
  return `${xml}</${name}>`;
}

/** The start tag of a received stream with what it declared, as our logs show it. */
export function writeRoot(root: XmlRoot): string {
  const prefix = prefixFor(root.namespace, root.contentNamespace, root.prefixes);
  let xml = `<${prefix === '' ? '' : `${prefix}:`}${root.name}`;
  if (root.contentNamespace !== '') xml += ` xmlns='${escapeAttribute(root.contentNamespace)}'`;
  for (const [name, namespace] of root.prefixes) xml += ` xmlns:${name}='${escapeAttribute(namespace)}'`;
  return `${xml}${writeAttributes(root.attributes, root.prefixes)}>`;
}

/** The prefix to write an element with, `''` for none. */
function prefixFor(namespace: string, defaultNamespace: string, prefixes: ReadonlyMap<string, string>): string {
  // The only namespace that cannot be declared as the default one (Namespaces in XML 1.0 §3).
  if (namespace === XML_NAMESPACE) return 'xml';
  if (namespace === defaultNamespace || CONTENT_NAMESPACES.some((content) => content === namespace)) return '';
  return prefixOf(namespace, prefixes) ?? '';
}

function prefixOf(namespace: string, prefixes: ReadonlyMap<string, string>): string | undefined {
  for (const [prefix, name] of prefixes) {
    if (name === namespace) return prefix;
  }
  return undefined;
}

/** Attributes in a namespace for which there is no prefix declare one. */
function writeAttributes(attributes: readonly XmlAttribute[], prefixes: ReadonlyMap<string, string>): string {
  const own = new Map<string, string>();
  let xml = '';
  for (const { name, namespace, value } of attributes) {
    let prefix = '';
    if (namespace === XML_NAMESPACE) {
      prefix = 'xml:';
    } else if (namespace !== '') {
      prefix = `${prefixOf(namespace, prefixes) ?? prefixOf(namespace, own) ?? declare(namespace, own, prefixes)}:`;
    }
    xml += ` ${prefix}${name}='${escapeAttribute(value)}'`;
  }
  let declarations = '';
  for (const [prefix, namespace] of own) declarations += ` xmlns:${prefix}='${escapeAttribute(namespace)}'`;
  return declarations + xml;
}

function declare(namespace: string, own: Map<string, string>, prefixes: ReadonlyMap<string, string>): string {
  if (namespace === XMLNS_NAMESPACE) throw new TypeError('A namespace declaration is not an attribute.');
  let number = own.size + 1;
  while (prefixes.has(`ns${number}`) || own.has(`ns${number}`)) number++;
  const prefix = `ns${number}`;
  own.set(prefix, namespace);
  return prefix;
}

function checkName(name: string): string {
  if (!isName(name)) throw new TypeError(`${JSON.stringify(name)} is not an XML name`);
  return name;
}
