-- Prosody inside, behind a Core: docs/guide/prosody.md.
pidfile = "/run/prosody/prosody.pid"
data_path = "/var/lib/prosody"
log = { info = "*console" }
certificates = "/etc/prosody/certs"

modules_enabled = {
  "disco"; "roster"; "saslauth"; "tls"; "dialback"; "ping"; "pep"; "blocklist"; "carbons"; "smacks"; "vcard4"; "vcard_legacy"; "private"; "limits";
}
authentication = "internal_hashed"
c2s_require_encryption = true

-- The Core stands for every foreign domain and has the certificate of none: its word is dialback's. Its resolver is the Core's steering
-- responder, so that all of S2S goes there.
s2s_require_encryption = true
s2s_secure_auth = false
unbound = { resolvconf = false; hoststxt = false; forward = { "172.30.3.2" } }

VirtualHost "coluc.com"

Component "conference.coluc.com" "muc"
