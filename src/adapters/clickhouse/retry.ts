/** Which failures of a request to ClickHouse pass by themselves, so that the same bytes are sent again. */
import { ClickHouseError } from '@clickhouse/client';

/** https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp */
const PASSING_CODES: ReadonlySet<string> = new Set([
  '159', // TIMEOUT_EXCEEDED
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '203', // NO_FREE_CONNECTION
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '225', // NO_ZOOKEEPER
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '252', // TOO_MANY_PARTS
  '279', // ALL_CONNECTION_TRIES_FAILED
  '285', // TOO_FEW_LIVE_REPLICAS
  '286', // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  '319', // UNKNOWN_STATUS_OF_INSERT
  '394', // QUERY_WAS_CANCELLED, also by a server that is being stopped
  '439', // CANNOT_SCHEDULE_TASK
  '745', // SERVER_OVERLOADED
  '999', // KEEPER_EXCEPTION
]);

const NOT_ENOUGH_SPACE = '243';
const DISK_FULL = /No space left on device|Disk quota exceeded/;

export type FailureKind = 'passing' | 'disk-full' | 'refused' | 'bug';

/** 'bug' is an error of our own making (a value that has no JSON form), which no retry and no operator can heal. */
export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'bug';
  if (DISK_FULL.test(error.message)) return 'disk-full';
  if (error instanceof ClickHouseError) {
    if (error.code === NOT_ENOUGH_SPACE) return 'disk-full';
    return PASSING_CODES.has(error.code) ? 'passing' : 'refused';
  }
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return ours ? 'bug' : 'passing';
}
