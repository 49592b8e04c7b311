/** What the page of the AXL service says. */
export interface PageFacts {
  readonly node: string;
  readonly version: string;
  readonly user: string;
  readonly axlVersions: readonly string[];
}

/** The page for whoever opens the AXL service in a browser to see whether it and the account work. */
export function servicePage({ node, version, user, axlVersions }: PageFacts): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>AXL on ${escapeHtml(node)}</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; color: #222; background: #fafafa }
h1 { font-size: 1.6rem } h1::before { content: "✓ "; color: #1a7f37 } code { background: #eaeaea; padding: .1em .3em; border-radius: .2em }
footer { color: #767676; font-size: .9rem; margin-top: 3rem }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } code { background: #333 } }
</style>
<h1>The AXL service works</h1>
<p>You are logged in to <strong>${escapeHtml(node)}</strong> as <strong>${escapeHtml(user)}</strong>, and the account may use AXL.</p>
<p>AXL itself is SOAP over <code>POST</code> to this address: <code>executeSQLQuery</code> and <code>executeSQLUpdate</code>, in the versions
${axlVersions.map((one) => `<code>${escapeHtml(one)}</code>`).join(', ')}.</p>
<footer>fedway ${escapeHtml(version)}</footer>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'\p{C}]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}
