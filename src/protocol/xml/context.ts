import { escapeAttribute } from './escape.ts';
import { isLanguageTag } from './language.ts';
import { CONTENT_NAMESPACES } from './limits.ts';
import type { NamespaceContext } from './scope.ts';
import { XML_NAMESPACE } from './scope.ts';
import type { ContentNamespace, XmlRoot } from './types.ts';
import { encodeUtf8 } from './utf8.ts';

/** What a stream's root gives to every stanza of the stream. */
export interface StreamContext extends NamespaceContext {
  readonly contentNamespace: ContentNamespace;
  /** ` xml:lang='...'`, to be added to a stanza that has none of its own (RFC 6120 §4.7.4); `undefined` when the root has no well-formed one. */
  readonly language: Uint8Array | undefined;
}

/**
 * The content namespace is the root's default namespace, or `fallback` where that is none of the known ones: in a header without
 * prefix (RFC 6120 §4.8.2) every stanza declares it anew.
 */
export function contextOf(root: XmlRoot, fallback: ContentNamespace): StreamContext {
  const language = root.attributes.find(({ name, namespace }) => name === 'lang' && namespace === XML_NAMESPACE)?.value;
  return {
    defaultNamespace: root.contentNamespace,
    prefixes: root.prefixes,
    contentNamespace: CONTENT_NAMESPACES.find((namespace) => namespace === root.contentNamespace) ?? fallback,
    language:
      language !== undefined && isLanguageTag(language)
        ? encodeUtf8(` xml:lang='${escapeAttribute(language)}'`)
        : undefined,
  };
}
