import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../../config.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import { sendProblem } from '../problem.ts';
import type { Problem } from '../problem.ts';
import { answers, nullable, oneOf } from '../schemas.ts';
import type { Receipt, TransactionIntake } from '../transaction-intake.ts';

export type TransactionRouteDeps = {
  readonly intake: TransactionIntake;
  readonly config: Config['http'];
  readonly telemetry: Telemetry;
};

const FAULTS_SHOWN_MAX = 100;

/** `POST /transactions`: one transaction, a list of them, or `{"transactions": […]}`. */
export function transactionRoutes(app: FastifyInstance, deps: TransactionRouteDeps): void {
  app.post(
    '/transactions',
    {
      schema: SCHEMA,
      // The parser of transactions says better what is wrong, and must see what was sent, not what was made of it.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const items = itemsOf(request.body);
      const most = deps.config.transactionsPerRequestMax;
      if (items.length === 0) return sendProblem(request, reply, EMPTY);
      if (items.length > most) return sendProblem(request, reply, tooMany(items.length, most));
      const receipt = await deps.intake.take(items);
      const { accepted, duplicates, rejected } = receipt;
      deps.telemetry.events.transactionsReceived({ accepted, duplicates, rejected: rejected.length });
      if (rejected.length === items.length) return sendProblem(request, reply, allRejected(receipt));
      return reply.code(202).send(receipt);
    },
  );
}

function itemsOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  const { transactions } = (body ?? {}) as { transactions?: unknown };
  return Array.isArray(transactions) ? transactions : [body];
}

function allRejected({ rejected }: Receipt): Problem {
  const faults = rejected.flatMap(({ index, problems }) =>
    problems.map(({ path, message }) => ({ path: path === '' ? `/${index}` : `/${index}/${path}`, message })),
  );
  return {
    status: 422,
    code: 'INPUT_INVALID',
    detail: rejected.length === 1 ? 'The transaction was refused.' : 'All transactions were refused.',
    remedy: 'Correct what errors says and send again; nothing was taken.',
    errors: faults.slice(0, FAULTS_SHOWN_MAX),
  };
}

function tooMany(count: number, most: number): Problem {
  return {
    status: 413,
    code: 'TOO_MANY_TRANSACTIONS',
    detail: `${count} transactions in one request; ${most} are the most.`,
    remedy: 'Send them in several requests.',
  };
}

const EMPTY: Problem = {
  status: 400,
  code: 'BAD_REQUEST',
  detail: 'There is no transaction in the request.',
  remedy: 'Send one transaction as an object, or several as a list.',
};

const decimal = (description: string) =>
  Type.Union([Type.String({ pattern: '^-?\\d+(\\.\\d+)?$' }), Type.Number()], { description });
const time = (description: string) =>
  Type.Union([Type.String({ format: 'date-time' }), Type.Integer()], {
    description: `${description}: ISO 8601 with an offset, or UTC milliseconds`,
  });
const text = (description: string) => Type.String({ maxLength: 256, description });

const Line = Type.Object({
  line_id: Type.Optional(nullable(text('Default: its place from 1'))),
  sku: text('What was sold'),
  gtin: Type.Optional(nullable(text('GTIN'))),
  category_path: Type.Optional(
    Type.Array(Type.String(), { description: 'From the widest to the narrowest' }),
  ),
  quantity: decimal('Pieces, or kilograms and so on; up to three decimals'),
  unit_of_measure: Type.Optional(Type.String({ default: 'each' })),
  unit_price: Type.Optional(nullable(decimal('Per unit'))),
  list_price: Type.Optional(nullable(decimal('Before discounts'))),
  discounts: Type.Optional(
    Type.Array(
      Type.Object({
        promotion_id: Type.Optional(nullable(Type.String())),
        coupon_id: Type.Optional(nullable(Type.String())),
        amount: decimal('Taken off'),
      }),
    ),
  ),
  net_amount: decimal('Paid for the line, after discounts, in the currency’s major unit'),
  voided: Type.Optional(Type.Boolean({ default: false })),
});

const Transaction = Type.Object(
  {
    event_id: text('Unique to this event; sending it again changes nothing'),
    transaction_id: text('Number of the ticket'),
    revision: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'A higher one replaces the ticket' }),
    ),
    original_transaction_id: Type.Optional(nullable(text('Of a VOID: the ticket it voids'))),
    type: oneOf(['SALE', 'RETURN', 'EXCHANGE', 'VOID'], 'Kind of ticket'),
    training: Type.Optional(Type.Boolean({ default: false })),
    store_id: text('Store'),
    register_id: Type.Optional(nullable(text('Till'))),
    channel: Type.Optional(Type.String({ default: 'store' })),
    begin_time: Type.Optional(nullable(time('Begin'))),
    end_time: time('End of the sale'),
    time_zone: Type.Optional(nullable(Type.String({ description: 'IANA name' }))),
    business_date: Type.Optional(nullable(Type.String({ format: 'date' }))),
    currency: Type.Optional(nullable(Type.String({ description: 'ISO 4217; the chain’s own' }))),
    lines: Type.Array(Line),
    tenders: Type.Optional(Type.Array(Type.Object({ kind: Type.String(), amount: decimal('Paid') }))),
    attributes: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  { title: 'Transaction', description: 'A till ticket. No card numbers, no names.' },
);

const ReceiptBody = Type.Object({
  accepted: Type.Integer({ description: 'Durable now' }),
  duplicates: Type.Integer({ description: 'Had been accepted before' }),
  rejected: Type.Array(
    Type.Object({
      index: Type.Integer(),
      event_id: nullable(Type.String()),
      problems: Type.Array(
        Type.Object({ reason: Type.String(), path: Type.String(), message: Type.String() }),
      ),
    }),
  ),
});

const SCHEMA = {
  tags: ['transactions'],
  operationId: 'sendTransactions',
  summary: 'Send sales in: one ticket or many',
  description:
    'Answered with 202 when what was accepted is durable. Good tickets are taken beside bad ones; the bad are listed. ' +
    'Send again whatever was not answered: each event counts once.',
  body: Type.Union([
    Transaction,
    Type.Array(Transaction),
    Type.Object({ transactions: Type.Array(Transaction) }),
  ]),
  response: answers({ 202: ReceiptBody }, [400, 401, 413, 415, 422, 503, 507]),
};
