/** What the page may bring about in a simulated chain: the forms, and what is filled in as an injection. */
import type { EventParameter, InjectableEvent } from '../../adapters/http/demo-controls.ts';
import { HOUR_MS } from '../../sales/durations.ts';
import { ForetillError } from '../../errors.ts';
import type { Injection } from '../../simulator/injections.ts';
import { INJECTION_MS_MAX } from '../../simulator/traffic.ts';

export type Values = Readonly<Record<string, string | number>>;

const STORE: EventParameter = { name: 'store', label: 'Store', kind: 'store' };
const CATEGORY: EventParameter = {
  name: 'category',
  label: 'Category',
  kind: 'category',
  required: true,
};
const HOURS: EventParameter = {
  name: 'hours',
  label: 'For',
  kind: 'number',
  min: 1,
  max: INJECTION_MS_MAX / HOUR_MS,
  unit: 'h',
  initial: 6,
};

export const INJECTABLE: readonly InjectableEvent[] = [
  {
    kind: 'promotion',
    label: 'Promotion',
    description: 'A category sells more.',
    parameters: [
      CATEGORY,
      STORE,
      { name: 'uplift', label: 'Uplift', kind: 'number', min: 10, max: 900, unit: '%', initial: 120 },
      HOURS,
    ],
  },
  {
    kind: 'stock-out',
    label: 'Stock-out',
    description: 'A category sells nothing.',
    parameters: [CATEGORY, STORE, HOURS],
  },
  {
    kind: 'demand-shift',
    label: 'Demand shift',
    description: 'More or fewer customers come.',
    parameters: [
      STORE,
      { name: 'change', label: 'Change', kind: 'number', min: -80, max: 400, unit: '%', initial: 60 },
      HOURS,
    ],
  },
  {
    kind: 'offline-till',
    label: 'Till goes offline',
    description: 'One till of three sends nothing, and everything at once when it is back.',
    parameters: [
      { ...STORE, required: true },
      { ...HOURS, initial: 2 },
    ],
  },
  {
    kind: 'duplicates',
    label: 'Storm of duplicates',
    description: 'Every ticket is sent several times.',
    parameters: [
      STORE,
      { name: 'copies', label: 'Copies', kind: 'number', min: 1, max: 20, initial: 5 },
      { ...HOURS, initial: 1 },
    ],
  },
];

/** Throws INPUT_INVALID for an unknown kind, store or category, or a number out of its range. */
export function injectionOf(
  kind: string,
  values: Values,
  context: {
    readonly id: string;
    readonly nowMs: number;
    readonly stores: readonly string[];
    readonly categories: readonly string[];
  },
): { readonly injection: Injection; readonly label: string } {
  const event = INJECTABLE.find((known) => known.kind === kind);
  if (event === undefined)
    throw refused(
      `There is no event "${kind.slice(0, 40)}".`,
      INJECTABLE.map((known) => known.kind),
    );
  const unknown = Object.keys(values).find(
    (name) => !event.parameters.some((parameter) => parameter.name === name),
  );
  if (unknown !== undefined) {
    throw refused(
      `"${unknown.slice(0, 40)}" is no parameter of ${kind}.`,
      event.parameters.map(({ name }) => name),
    );
  }
  const number = (name: string) => numberOf(event, name, values[name]);
  const storeId = chosen('store', values['store'], context.stores);
  const where = storeId === null ? 'all stores' : `store ${storeId}`;
  const base = {
    id: context.id,
    fromMs: context.nowMs,
    untilMs: context.nowMs + number('hours') * HOUR_MS,
    storeId,
  };
  switch (kind) {
    case 'promotion': {
      const category = categoryOf(values, context.categories);
      const uplift = number('uplift');
      return {
        injection: { ...base, kind, category, factor: 1 + uplift / 100 },
        label: `Promotion: ${category} in ${where}, +${uplift} %`,
      };
    }
    case 'stock-out': {
      const category = categoryOf(values, context.categories);
      return { injection: { ...base, kind, category }, label: `Stock-out: ${category} in ${where}` };
    }
    case 'demand-shift': {
      const change = number('change');
      return {
        injection: { ...base, kind, factor: 1 + change / 100 },
        label: `Demand ${change < 0 ? '' : '+'}${change} % in ${where}`,
      };
    }
    case 'offline-till': {
      const at = storeId ?? (context.stores[0] as string);
      return {
        injection: { ...base, kind, storeId: at, registerId: '1' },
        label: `Till 1 of store ${at} is offline`,
      };
    }
    default: {
      const copies = number('copies');
      return {
        injection: { ...base, kind: 'duplicates', copies },
        label: `Every ticket ${copies + 1} times from ${where}`,
      };
    }
  }
}

function numberOf(event: InjectableEvent, name: string, given: string | number | undefined): number {
  const parameter = event.parameters.find((known) => known.name === name) as EventParameter;
  const value = given === undefined || given === '' ? Number(parameter.initial) : Number(given);
  const { min = 0, max = Number.POSITIVE_INFINITY } = parameter;
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw refused(`${parameter.label} must be a number from ${min} to ${max}.`, [`${min}`, `${max}`]);
}

function categoryOf(values: Values, categories: readonly string[]): string {
  const category = chosen('category', values['category'], categories);
  if (category === null) throw refused('A category must be chosen.', categories);
  return category;
}

/** Nothing, or `all`, is null. */
function chosen(what: string, given: string | number | undefined, known: readonly string[]): string | null {
  const value = given === undefined ? '' : String(given);
  if (value === '' || value === 'all') return null;
  if (known.includes(value)) return value;
  throw refused(`There is no ${what} "${value.slice(0, 40)}".`, known);
}

function refused(message: string, choices: readonly string[]): ForetillError {
  return new ForetillError('INPUT_INVALID', message, {
    remedy: `Choose from: ${choices.slice(0, 40).join(', ')}.`,
  });
}
