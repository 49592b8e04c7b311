import type { Unusable } from './types.ts';
import { isAxlVersion } from './types.ts';

/** The value of the header `SOAPAction` (SOAP 1.1 §6.1.1), with its quotation marks. */
export function soapAction(version: string, fn: string): string {
  return `"CUCM:DB ver=${version} ${fn}"`;
}

/** Of a header `SOAPAction`: `function` is `undefined` where it only says the version. */
export interface SoapAction {
  readonly version: string;
  readonly function: string | undefined;
}

/** Reads a header `SOAPAction`. Its quotation marks may be missing, as many AXL clients leave them out. Total. */
export function readSoapAction(header: string | undefined): SoapAction | Unusable {
  if (header === undefined) return { fault: 'The header SOAPAction is missing.' };
  const parts = /^(?<quote>"?)CUCM:DB ver=(?<version>[\d.]{1,8})(?: (?<fn>[A-Za-z]{1,100}))?\k<quote>$/.exec(
    header.trim(),
  );
  const { version, fn } = parts?.groups ?? {};
  if (version === undefined || !isAxlVersion(version)) {
    return { fault: 'The header SOAPAction is not of the form "CUCM:DB ver=14.0 executeSQLQuery".' };
  }
  return { version, function: fn };
}
