import { randomBytes, webcrypto } from 'node:crypto';
import { Integer, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
} from 'pkijs';
import type { OwnCertificate } from './parameters.ts';

const COMMON_NAME = '2.5.4.3';
const YEARS = 10;

/**
 * A self-signed certificate with an ECDSA P-256 key, for a listener whose peers do not verify us: the inside one.
 *
 * @param names DNS names, A-labels.
 * @param now Unix milliseconds; the certificate is valid from a day before.
 */
export async function selfSignedCertificate(names: readonly string[], now: number): Promise<OwnCertificate> {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const certificate = new Certificate({ version: 2, serialNumber: serialNumber() });
  const name = new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: names[0] ?? 'fedway' }) });
  certificate.subject.typesAndValues.push(name);
  certificate.issuer.typesAndValues.push(name);
  certificate.notBefore.value = new Date(now - 86_400_000);
  certificate.notAfter.value = new Date(now + YEARS * 365 * 86_400_000);
  const altNames = new GeneralNames({ names: names.map((value) => new GeneralName({ type: 2, value })) });
  certificate.extensions = [
    extension('2.5.29.19', true, new BasicConstraints({ cA: false }).toSchema()),
    extension(
      '2.5.29.37',
      false,
      new ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }).toSchema(),
    ),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, altNames.toSchema())]),
  ];
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  await certificate.sign(privateKey, 'SHA-256');
  return {
    chain: pem('CERTIFICATE', certificate.toSchema(true).toBER()),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey)),
  };
}

/** RFC 5280 §4.1.2.2: positive, unpredictable. */
function serialNumber(): Integer {
  return new Integer({ valueHex: Uint8Array.from([1, ...randomBytes(15)]).buffer });
}

function extension(extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
