import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** RFC 9325 §4.2: forward secrecy and AEAD only. */
const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Our own certificate, PEM: the chain, leaf first, and the private key. */
export interface OwnCertificate {
  readonly chain: string;
  readonly key: string;
}

/**
 * A context for both roles, as every stream of ours uses it (RFC 9325): TLS 1.2 and 1.3, no renegotiation (RFC 6120 §5.3.5), no
 * session tickets. Without tickets and without a session cache every handshake is a full one, so an identity is never older
 * than its connection (RFC 9325 §3.4).
 *
 * `ca` is empty on purpose. Chains are judged by `Trust`, so OpenSSL's verdict does not matter; and Node would announce every
 * `ca` in the CertificateRequest, which makes peers keep back certificates of other authorities.
 */
export function secureContext(own: OwnCertificate | undefined): SecureContext {
  return createSecureContext({
    ...(own === undefined ? {} : { cert: own.chain, key: own.key }),
    ca: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: [...TLS13_SUITES, ...TLS12_SUITES].join(':'),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION,
  });
}
