/** A client that speaks AXL with an IM&P server, and the table it keeps there. `publisher` is the name of the server here. */
export type AxlNote =
  | {
      readonly note: 'axl-sent';
      readonly publisher: string;
      readonly url: string;
      readonly function: string;
      /** Of the AXL schema. */
      readonly version: string;
      readonly sql: string;
      /** Nothing has changed: the table is looked at again. */
      readonly routine: boolean;
    }
  /** `rows`: in the result of a query, or changed by an update. */
  | {
      readonly note: 'axl-answered';
      readonly publisher: string;
      readonly url: string;
      readonly function: string;
      readonly version: string;
      readonly rows: number;
      readonly seconds: number;
    }
  /** `status`: HTTP's, if it is what tells the failure; `reason`: the words of a SOAP fault. */
  | {
      readonly note: 'axl-failed';
      readonly publisher: string;
      readonly url: string;
      readonly function: string;
      readonly version: string;
      readonly status: number | undefined;
      readonly reason: string | undefined;
      readonly problem: {
        readonly code: string;
        readonly sentence: string;
        readonly cause: string;
        readonly cure: string;
      };
    }
  /** The table `xmpps2snodes` of a publisher was changed, and read back. */
  | {
      readonly note: 'axl-table-changed';
      readonly publisher: string;
      readonly inserted: readonly string[];
      readonly removed: readonly string[];
    };
