/** The part of tr46 (UTS #46) that is used; the package brings no types of its own. */
declare module 'tr46' {
  interface Options {
    readonly checkHyphens?: boolean;
    readonly checkBidi?: boolean;
    readonly checkJoiners?: boolean;
    readonly useSTD3ASCIIRules?: boolean;
    readonly transitionalProcessing?: boolean;
  }
  /** The domain with A-labels, `null` when it breaks a rule. */
  export function toASCII(domain: string, options: Options & { readonly verifyDNSLength?: boolean }): string | null;
  /** The domain with U-labels; `error` says whether it breaks a rule. */
  export function toUnicode(domain: string, options: Options): { readonly domain: string; readonly error: boolean };
}
