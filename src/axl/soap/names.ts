import { isAxlVersion } from './types.ts';

/** SOAP 1.1 §4. */
export const ENVELOPE_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
/** The envelope of SOAP 1.2, which AXL does not speak. */
export const SOAP_1_2_NAMESPACE = 'http://www.w3.org/2003/05/soap-envelope';

const AXL_NAMESPACE = 'http://www.cisco.com/AXL/API/';

/** The namespace of a version of the AXL schema. */
export function axlNamespace(version: string): string {
  return AXL_NAMESPACE + version;
}

/** The version of the AXL schema that a namespace stands for; `undefined` when it is not AXL's. */
export function axlVersionOf(namespace: string): string | undefined {
  const version = namespace.startsWith(AXL_NAMESPACE) ? namespace.slice(AXL_NAMESPACE.length) : '';
  return isAxlVersion(version) ? version : undefined;
}
