/** Whether a reason not to test something exists; it is said loudly, in place of the tests. For `describe.skipIf`. */
export function notTested(what: string, why: string | undefined): boolean {
  if (why === undefined) return false;
  const frame = '!'.repeat(100);
  console.error(`${frame}\nNOT TESTED: ${what}.\n${why}\n${frame}`);
  return true;
}
