/** Certificates for tests of TLS, made by openssl: an authority, a broker's, a client's, and an authority nobody knows. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Certificates = {
  readonly caFile: string;
  readonly strangeCaFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  /** Key and certificate in one file, as Kafka reads them. */
  readonly brokerFile: string;
};

/** The broker's certificate is made out to 127.0.0.1, and not to localhost. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  await makeAuthority(dir, 'ca');
  await makeAuthority(dir, 'strange');
  await makeSigned(dir, 'broker', 'subjectAltName=IP:127.0.0.1');
  await makeSigned(dir, 'client', 'extendedKeyUsage=clientAuth');
  const brokerFile = join(dir, 'broker.pem');
  const parts = await Promise.all(
    ['broker.key', 'broker.crt'].map((name) => readFile(join(dir, name), 'utf8')),
  );
  await writeFile(brokerFile, parts.join(''));
  return {
    caFile: join(dir, 'ca.crt'),
    strangeCaFile: join(dir, 'strange.crt'),
    clientCertFile: join(dir, 'client.crt'),
    clientKeyFile: join(dir, 'client.key'),
    brokerFile,
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function makeAuthority(dir: string, name: string): Promise<void> {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-days', '2'];
  await run('openssl', ['req', '-x509', ...NEW_KEY, ...subject, ...keyAndOut(dir, name, 'crt')]);
}

async function makeSigned(dir: string, name: string, extension: string): Promise<void> {
  await run('openssl', ['req', ...NEW_KEY, '-subj', `/CN=${name}`, ...keyAndOut(dir, name, 'csr')]);
  const extensions = join(dir, `${name}.ext`);
  await writeFile(extensions, extension);
  const signer = ['-CA', join(dir, 'ca.crt'), '-CAkey', join(dir, 'ca.key'), '-CAcreateserial', '-days', '2'];
  const request = ['-req', '-in', join(dir, `${name}.csr`), '-out', join(dir, `${name}.crt`)];
  await run('openssl', ['x509', ...request, ...signer, '-extfile', extensions]);
}

function keyAndOut(dir: string, name: string, kind: string): string[] {
  return ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.${kind}`)];
}
