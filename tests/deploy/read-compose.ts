/** docker-compose.yml as Compose would read it: merged, and with the variables of an environment put in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type Service = {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly [setting: string]: unknown };
  readonly restart?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
};

export type Compose = {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

/** For every variable that must be set. */
export const SECRETS = {
  FORETILL_TOKEN: 'a-token-for-tests-only',
  FORETILL_STORE_PASSWORD: 'a-password-for-tests-only',
  GRAFANA_STORE_PASSWORD: 'another-password-for-tests-only',
  GRAFANA_ADMIN_PASSWORD: 'one-more-password-for-tests-only',
};

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readCompose(environment: Readonly<Record<string, string>> = SECRETS): Compose {
  return parse(substitute(readText('docker-compose.yml'), environment), { merge: true }) as Compose;
}

type Variable = { readonly name: string; readonly operator: '' | ':-' | ':?'; readonly word: string };

/** Of `$NAME`-free text: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, and `$$` for one dollar. */
const VARIABLE = /\$\$|\$\{([A-Z_]+)(:[-?])?([^}]*)\}/g;

/** Every variable that the file names. */
export function variables(): Variable[] {
  return [...readText('docker-compose.yml').matchAll(VARIABLE)]
    .filter(([whole]) => whole !== '$$')
    .map(([, name = '', operator = '', word = '']) => ({
      name,
      operator: operator as Variable['operator'],
      word,
    }));
}

/** @see https://docs.docker.com/reference/compose-file/interpolation/ */
function substitute(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (whole: string, name: string | undefined, operator = '', word = '') => {
    if (name === undefined) return '$';
    const value = environment[name] ?? '';
    if (value !== '') return value;
    if (operator === ':?') throw new Error(`${name} is not set: ${word} (${whole})`);
    return operator === ':-' ? word : '';
  });
}

export type Port = { readonly host: string; readonly published: number; readonly target: number };

/** `HOST:PUBLISHED:TARGET`; without a host it would be every address of the machine. */
export function portsOf(service: Service): Port[] {
  return (service.ports ?? []).map((text) => {
    const [target, published, host = '0.0.0.0'] = text.split(':').reverse();
    return { host, published: Number(published), target: Number(target) };
  });
}

export type Mount = { readonly source: string; readonly target: string; readonly readOnly: boolean };

export function mountsOf(service: Service): Mount[] {
  return (service.volumes ?? []).map((text) => {
    const [source = '', target = '', mode] = text.split(':');
    return { source, target, readOnly: mode === 'ro' };
  });
}
