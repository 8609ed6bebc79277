import { describeLogContract } from '../log-contract.ts';
import { openTemporaryLog } from './open-temporary.ts';

describeLogContract('the SQLite log', openTemporaryLog);
