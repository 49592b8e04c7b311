import type { XmlElement } from '../protocol/xml/types.ts';

/** The elements directly inside, without the text between them. */
export function elementsIn(parent: XmlElement): readonly XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string');
}

/** The elements directly inside that have this name. */
export function childrenOf(parent: XmlElement, name: string, namespace: string): readonly XmlElement[] {
  return elementsIn(parent).filter((child) => child.name === name && child.namespace === namespace);
}

/** The element without the children that `unwanted` names; the same element when there are none. */
export function without(parent: XmlElement, unwanted: (child: XmlElement) => boolean): XmlElement {
  const children = parent.children.filter((child) => typeof child === 'string' || !unwanted(child));
  return children.length === parent.children.length ? parent : { ...parent, children };
}
