/** The functions of AXL that fedway speaks: questions to, and changes of, the database of an IM&P server. */
export const AXL_FUNCTIONS = ['executeSQLQuery', 'executeSQLUpdate'] as const;
export type AxlFunction = (typeof AXL_FUNCTIONS)[number];

/** Versions of the AXL schema that exist, newest first. */
export const AXL_VERSIONS = ['15.0', '14.0', '12.5', '11.5'] as const;

/** A request as it stands in the body of an envelope. */
export interface AxlRequest {
  readonly function: AxlFunction;
  /** Of the schema: `14.0`. */
  readonly version: string;
  /** What the client numbers its requests with; an answer has the same. */
  readonly sequence?: string;
  readonly sql: string;
}

/** One row of a result: column and value in the order in which they came. */
export type AxlRow = readonly (readonly [column: string, value: string])[];

/** A SOAP fault (SOAP 1.1 §4.4) with what AXL says in its detail. */
export interface AxlFault {
  /** Informix's number for faults of SQL, e.g. -239; `undefined` when the fault has none. */
  readonly axlcode: number | undefined;
  readonly axlmessage: string;
  /** The function that was asked for. */
  readonly request: string;
  readonly faultstring: string;
}

/** What an envelope from a server says. */
export type AxlAnswer =
  | { readonly rows: readonly AxlRow[] }
  | { readonly rowsUpdated: number }
  | { readonly soapFault: AxlFault };

/** What cannot be read or written, in one sentence that contains nothing a peer wrote. */
export interface Unusable {
  readonly fault: string;
}

/** The value of a column; `undefined` when the row does not have it. */
export function columnOf(row: AxlRow, column: string): string | undefined {
  return row.find(([name]) => name === column)?.[1];
}

/** Whether a text is a version of the AXL schema, known or not. */
export function isAxlVersion(text: string): boolean {
  return /^\d{1,2}\.\d{1,2}$/.test(text);
}
