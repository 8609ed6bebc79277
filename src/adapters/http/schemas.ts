/** Shapes that several routes share, as JSON Schema for validation and for the OpenAPI document. */
import { Type } from '@sinclair/typebox';
import type { Static, TSchema } from '@sinclair/typebox';
import { GRANULARITIES, LEVELS, MEASURES } from '../../sales/series.ts';
import type { Granularity, Level, Measure } from '../../sales/series.ts';

export function oneOf<T extends string>(values: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...values], description });
}

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

const granularity = oneOf<Granularity>(GRANULARITIES, 'Length of a bucket');
const measure = oneOf<Measure>(MEASURES, 'Units (pieces, kilograms) or revenue (in the chain’s currency)');
const level = oneOf<Level>(LEVELS, 'Level of the hierarchy');
const name = (description: string) => Type.String({ maxLength: 512, description });

export const Instant = Type.String({
  format: 'date-time',
  description: 'UTC, ISO 8601',
  examples: ['2017-09-01T13:00:00Z'],
});

/** Query fields that pick series. */
export const SERIES_FILTER = {
  granularity: Type.Optional(granularity),
  measure: Type.Optional(measure),
  level: Type.Optional(level),
  store: Type.Optional(name('Store id')),
  category: Type.Optional(name('Category')),
  product: Type.Optional(name('SKU')),
};
export const SeriesFilter = Type.Object(SERIES_FILTER);
export type SeriesFilter = Static<typeof SeriesFilter>;

export const SeriesParams = Type.Object({
  id: Type.String({
    description: 'Name of the series, percent-encoded, e.g. day%2Funits%2Fstore%3D406',
    minLength: 1,
    maxLength: 2_048,
  }),
});
export type SeriesParams = Static<typeof SeriesParams>;

export const format = Type.Optional(
  oneOf<'json' | 'csv'>(['json', 'csv'], 'Also chosen by Accept: text/csv'),
);

export const SERIES_FIELDS = {
  series: Type.String({ examples: ['day/revenue/store=406'] }),
  granularity,
  measure,
  level,
  store: Type.Optional(Type.String()),
  category: Type.Optional(Type.String()),
  product: Type.Optional(Type.String()),
};

const figure = nullable(Type.Number());
export const BandScore = Type.Object(
  {
    band: Type.String({ description: 'Steps ahead' }),
    step: Type.Integer({ description: 'The step that stands for the band' }),
    n: Type.Integer({ description: 'How many values were scored' }),
    mase: figure,
    wape: figure,
    bias: figure,
    coverage80: figure,
    coverage95: figure,
    skill: figure,
  },
  {
    description:
      'How earlier forecasts did, each issued before the value it is scored against; null: not known yet',
  },
);

export const Forecast = Type.Object(
  {
    ...SERIES_FIELDS,
    kind: oneOf(['issue', 'amendment'], 'After a bucket closed, or after a closed one changed'),
    origin: Instant,
    issued_at: Instant,
    watermark: nullable(Instant),
    model_version: Type.String(),
    reconciled: Type.Boolean(),
    probabilities: Type.Array(Type.Number()),
    buckets: Type.Array(Instant),
    mean: Type.Array(Type.Number()),
    quantiles: Type.Array(Type.Array(Type.Number()), { description: 'Per bucket, at the probabilities' }),
    scores: Type.Array(BandScore),
    experts: Type.Array(Type.Object({ name: Type.String(), weight: Type.Number() })),
  },
  { title: 'Forecast' },
);

export const Nowcast = Type.Object(
  {
    ...SERIES_FIELDS,
    bucket: Instant,
    as_of: Instant,
    watermark: nullable(Instant),
    sold: Type.Number({ description: 'So far in the open bucket' }),
    mean: Type.Number({ description: 'Expected by its end' }),
    probabilities: Type.Array(Type.Number()),
    quantiles: Type.Array(Type.Number()),
  },
  { title: 'Nowcast' },
);

export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable, for programs' }),
    detail: Type.String(),
    remedy: Type.String({ description: 'What to do' }),
    instance: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { title: 'Problem', description: 'RFC 9457' },
);

/** The answers of a route: its own, and problems for the rest. */
export function answers(own: Readonly<Record<number, unknown>>, problems: readonly number[]) {
  const problem = {
    description: 'Problem',
    content: { 'application/problem+json': { schema: ProblemBody } },
  };
  return { ...own, ...Object.fromEntries(problems.map((status) => [status, problem])) };
}

/** A body that is JSON or, on request, CSV. */
export function jsonOrCsv(description: string, schema: TSchema) {
  return {
    description,
    content: { 'application/json': { schema }, 'text/csv': { schema: Type.String() } },
  };
}
