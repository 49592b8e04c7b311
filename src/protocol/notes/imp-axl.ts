/** An IM&P node's AXL server, command line and captures. */
export type ImpAxlNote =
  /** A request has been answered. `function`: of AXL, or the method and path of another request, as far as it is known. */
  | {
      readonly note: 'imp-axl-request';
      readonly user: string | undefined;
      readonly function: string;
      readonly status: number;
      readonly milliseconds: number;
      /** Why not, for whoever reads the log; never a value of a statement. */
      readonly because: string | undefined;
    }
  | { readonly note: 'imp-axl-statement'; readonly user: string; readonly sql: string }
  /** Wrong credentials. `user`: the account that was named, which need not exist. */
  | { readonly note: 'imp-axl-login-refused'; readonly user: string; readonly because: string }
  /** The first refusal of a series: logins are not even tried until there are fewer of them. `of`: a source of connections, or an account. */
  | { readonly note: 'imp-axl-login-storm'; readonly of: 'source' | 'account'; readonly name: string }
  | { readonly note: 'imp-axl-throttled'; readonly user: string; readonly because: string }
  | { readonly note: 'imp-axl-not-secured'; readonly detail: string }
  /** A command typed into the administrator's shell, without the values in it. */
  | { readonly note: 'imp-shell-command'; readonly author: string; readonly command: string }
  | {
      readonly note: 'imp-capture-started';
      readonly author: string;
      readonly file: string;
      /** What is captured: an interface, or the node's decoded conversations. */
      readonly source: string;
    }
  | {
      readonly note: 'imp-capture-ended';
      readonly file: string;
      readonly packets: number;
      readonly bytes: number;
      /** Packets that are not in the file because the disk was too slow. */
      readonly left: number;
      readonly because: string;
    };
