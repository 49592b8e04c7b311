import { domainPart } from '../jid/jid.ts';
import { NS } from '../namespaces.ts';
import type { ContentNamespace, Stanza, StanzaScope, XmlElement } from '../xml/types.ts';
import { attributeOf, writeElement } from '../xml/write.ts';

/** A stanza of our own, e.g. a bounce, ready for any outlet. `tree` is in the namespace jabber:server. */
export function writtenStanza(tree: XmlElement): Stanza {
  const { name } = tree;
  if (name !== 'message' && name !== 'presence' && name !== 'iq') throw new TypeError(`<${name}/> is no stanza`);
  const from = attributeOf(tree, 'from');
  const to = attributeOf(tree, 'to');
  const stanza: Stanza = {
    kind: name,
    from,
    to,
    id: attributeOf(tree, 'id'),
    type: attributeOf(tree, 'type'),
    lang: attributeOf(tree, 'lang', NS.xml),
    fromDomain: from === undefined ? undefined : domainPart(from),
    toDomain: to === undefined ? undefined : domainPart(to),
    wellAddressed: true,
    size: new TextEncoder().encode(writeElement(tree, NS.server)).length,
    render: (scope) => render(tree, scope),
    tree: () => tree,
    keep: () => stanza,
  };
  return stanza;
}

function render(tree: XmlElement, scope: StanzaScope): Uint8Array {
  const scoped = rescoped(tree, scope.contentNamespace);
  const addressed: XmlElement = { ...scoped, attributes: scoped.attributes.map((each) => readdressed(each, scope)) };
  return new TextEncoder().encode(writeElement(addressed, scope.contentNamespace));
}

/**
 * A stanza for a stream with another content namespace (RFC 6120 §4.8.3): the stanza, and what is in its namespace directly below it, change. What lies
 * inside a payload of another namespace keeps its own, such as a forwarded message (XEP-0297).
 */
export function rescoped(stanza: XmlElement, contentNamespace: ContentNamespace): XmlElement {
  return stanza.namespace === contentNamespace ? stanza : moved(stanza, stanza.namespace, contentNamespace);
}

function moved(element: XmlElement, from: string, to: ContentNamespace): XmlElement {
  if (element.namespace !== from) return element;
  const children = element.children.map((child) => (typeof child === 'string' ? child : moved(child, from, to)));
  return { ...element, namespace: to, children };
}

function readdressed(
  attribute: XmlElement['attributes'][number],
  scope: StanzaScope,
): XmlElement['attributes'][number] {
  if (attribute.namespace !== '') return attribute;
  if (attribute.name === 'from' && scope.from !== undefined) return { ...attribute, value: scope.from };
  if (attribute.name === 'to' && scope.to !== undefined) return { ...attribute, value: scope.to };
  return attribute;
}
