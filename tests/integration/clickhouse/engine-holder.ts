/** Holds an embedded engine on a directory until it is killed: node engine-holder.ts DIR */
import { startEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

const engine = await startEmbeddedEngine({ dir: process.argv[2]!, limits: DEFAULT_CONFIG.engine });
process.send!({ url: engine.url, username: engine.username, password: engine.password, pid: engine.pid() });
