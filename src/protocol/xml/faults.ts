import type { XmlFault } from './types.ts';

/**
 * Every reason why a stream cannot be read on. The conditions are those of RFC 6120 §4.9.3; where two fit, the more specific one
 * is chosen (encoding, then restricted XML, then well-formedness).
 */

function fault(condition: XmlFault['condition'], detail: string): XmlFault {
  return { condition, detail };
}

// RFC 6120 §11.6: UTF-8 and nothing else
export const NOT_UTF8 = fault('unsupported-encoding', 'The bytes are not valid UTF-8.');
export const OTHER_ENCODING = fault('unsupported-encoding', 'The stream is encoded in something other than UTF-8.');

// RFC 6120 §11.1: features of XML that are prohibited
export const COMMENT = fault('restricted-xml', 'Comments are prohibited.');
export const PROCESSING_INSTRUCTION = fault('restricted-xml', 'Processing instructions are prohibited.');
export const DTD = fault('restricted-xml', 'Document type declarations are prohibited.');
export const ENTITY = fault('restricted-xml', 'An entity reference is not one of the five predefined ones.');

// XML 1.0 and Namespaces in XML 1.0
export const CHARACTER = fault('not-well-formed', 'A character is not permitted in XML.');
export const CHARACTER_REFERENCE = fault(
  'not-well-formed',
  'A character reference is broken or names no XML character.',
);
export const AMPERSAND_ALONE = fault('not-well-formed', 'An ampersand does not begin a reference.');
export const MARKUP = fault('not-well-formed', 'A "<" does not begin a tag.');
export const NAME = fault('not-well-formed', 'A name is expected and something else was found.');
export const TAG = fault('not-well-formed', 'A tag contains something that does not belong there.');
export const EQUALS_SIGN = fault('not-well-formed', 'An attribute name is not followed by "=".');
export const QUOTES = fault('not-well-formed', 'An attribute value is not in quotation marks.');
export const LESS_THAN_IN_VALUE = fault('not-well-formed', 'An attribute value contains "<".');
export const CDATA_END_IN_TEXT = fault('not-well-formed', 'Text contains "]]>".');
export const CDATA_OUTSIDE = fault('not-well-formed', 'There is a CDATA section outside any first-level element.');
export const MISMATCH = fault('not-well-formed', 'An end tag does not match its start tag.');
export const TEXT_OUTSIDE = fault('not-well-formed', 'There is text outside any first-level element.');
export const NO_ROOT = fault('not-well-formed', 'The stream does not begin with a start tag.');
export const LATE_DECLARATION = fault('not-well-formed', 'An XML declaration is not at the very start of the stream.');
export const DECLARATION = fault('not-well-formed', 'The XML declaration is broken.');
export const VERSION = fault('not-well-formed', 'The XML declaration names a version other than 1.0.');
export const DUPLICATE = fault('not-well-formed', 'An element has the same attribute twice.');
export const UNDECLARED_PREFIX = fault('not-well-formed', 'A namespace prefix is not declared.');
export const EMPTY_NAMESPACE = fault('not-well-formed', 'A namespace prefix is declared to be no namespace.');
export const RESERVED_PREFIX = fault('not-well-formed', 'The prefix xml or xmlns is declared to be something else.');
export const RESERVED_NAMESPACE = fault('not-well-formed', 'A reserved namespace is declared under another prefix.');

// RFC 6120 §4.8
export const PREFIXED_STANZA = fault('bad-namespace-prefix', 'A stanza has a namespace prefix.');
export const OTHER_CONTENT_NAMESPACE = fault(
  'invalid-namespace',
  'A stanza is in a content namespace that is not the one of this stream.',
);

// RFC 6120 §13.12: limits
export const HEADER_TOO_BIG = fault('policy-violation', 'The stream header is too large.');
export const ELEMENT_TOO_BIG: XmlFault = {
  condition: 'policy-violation',
  detail: 'A first-level element is too large.',
  tooBig: true,
};
export const TOO_DEEP = fault('policy-violation', 'Elements are nested too deeply.');
export const TOO_MANY_ATTRIBUTES = fault('policy-violation', 'An element has too many attributes.');
export const NAME_TOO_LONG = fault('policy-violation', 'A name is too long.');
export const TOO_MANY_ELEMENTS = fault('policy-violation', 'A first-level element contains too many elements.');
export const TOO_MANY_DECLARATIONS = fault('policy-violation', 'Too many namespace declarations are in scope.');
export const TOO_MUCH_WHITESPACE = fault('policy-violation', 'There is too much white space between elements.');
